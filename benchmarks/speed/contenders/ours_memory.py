"""One long walk that drops each customer as it comes, and how much memory it holds meanwhile.

Knows the public names of `unified_customers`, and where Linux tells a process's memory. Options are those of `ours`,
and `settled`: after how many customers growth is counted from.
"""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path
from typing import Any

from talk import options, serve

import unified_customers as uc

OPTIONS = options()
PAGE, STEP = os.sysconf("SC_PAGE_SIZE"), 10_000


def resident() -> int:
    """Bytes that the process holds now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def peak() -> int:
    """The most that it ever held, as the kernel counted: no spike within a page is missed."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def walk(client: Any) -> dict[str, Any]:
    """One walk, with a look at the memory and the clocks at every ten thousandth customer."""
    seen, settled = 0, OPTIONS["settled"]
    before, marks = 0, []
    for _ in client.customers():
        seen += 1
        if seen % STEP == 0:
            marks.append({"customers": seen, "resident": resident(), "cpu": time.process_time()})
        if seen == settled:
            before = peak()
    return {"customers": seen, "before": before, "peak": peak(), "marks": marks}


def main() -> None:
    """Open a client, and serve."""
    client = uc.Client(uc.Flexprice(api_key="key-of-the-benchmark", base_url=OPTIONS["base"]))
    serve(lambda: walk(client), version=uc.__version__, file=uc.__file__)


main()
