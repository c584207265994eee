"""One command: every adversary against every tool, on loopback, and a table of what came of it."""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path

from .adversaries import ADVERSARIES, Adversary
from .stage import job_for, on_stage
from .tables import Cells, as_json, as_markdown, as_text
from .tools import TOOLS, Reader, StoppedError, Tool
from .verdicts import Verdict, endless, judge

_NAMES = sorted({tool.script.removeprefix("read_").removesuffix(".py") for tool in TOOLS})


def main() -> int:
    """Run what was asked for and print it; 1 if this library was wrong without a word, or never stopped."""
    asked = _arguments()
    tools = [tool for tool in TOOLS if not asked.only or tool.script == f"read_{asked.only}.py"]
    by_script = [list(group) for _, group in groupby(sorted(tools, key=_script), key=_script)]
    cells: Cells = {}
    with ThreadPoolExecutor(len(by_script)) as pool:  # the readers mostly wait, each for its own repeats
        for part in pool.map(lambda group: _against_all(group, asked.seed), by_script):
            cells |= part
    _write(asked, tools, cells)
    ours = [verdict for (_, tool), verdict in cells.items() if tool.environment is None]
    return int(any(verdict.kind in {"silent", "endless"} for verdict in ours))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.completeness", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="what changes in the lists is drawn from it (default: 0)")
    parser.add_argument("--only", choices=_NAMES, help="one tool instead of all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures and error texts there")
    parser.add_argument("--markdown", action="store_true", help="print Markdown instead of plain text")
    return parser.parse_args()


def _script(tool: Tool) -> str:
    return tool.script


def _against_all(tools: list[Tool], seed: int) -> Cells:
    cells: Cells = {}
    for tool in tools:
        with Reader(tool) as reader:
            for adversary in ADVERSARIES:
                if tool.wire in adversary.wires:
                    cells[adversary, tool] = verdict = against(adversary, tool, reader, seed)
                    print(f"{tool.wire:<11}{tool.key:<13}{adversary.key:<14}{verdict.words}", file=sys.stderr)
    return cells


def against(adversary: Adversary, tool: Tool, reader: Reader, seed: int) -> Verdict:
    """One tool reads one list while one adversary is at work."""
    with on_stage(tool.wire, seed, adversary.prepare) as stage:
        try:
            said = reader.read(job_for(stage), stage.overrun)
        except StoppedError as stopped:
            return endless(str(stopped), sorted(stage.notes), stage.requests)
        allowed = None if stage.filter is None else stage.wanted
        return judge(said, stage.there_throughout(), allowed, sorted(stage.notes), stage.requests)


def _write(asked: argparse.Namespace, tools: list[Tool], cells: Cells) -> None:
    if asked.json is not None:
        asked.json.write_text(json.dumps(as_json(tools, cells, asked.seed), indent=1) + "\n")
    print((as_markdown if asked.markdown else as_text)(tools, cells, asked.seed))


if __name__ == "__main__":
    sys.exit(main())
