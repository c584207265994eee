"""`migrate`: shows what a move would do; with --apply runs or resumes it; verifies it, undoes it, writes its map.

Knows the public API; must not know providers. Nothing is written at the target before --apply.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

import unified_customers as uc

from . import accounts, exits, migrate_show, streams
from .options import State, on_bad_record, output, shared, state
from .progress import Bar
from .telling import teller

_EPILOG = """
Without --apply nothing is sent but reads, and no journal is made. The journal holds customers' data: keep it as you
keep them. Killed or interrupted, the same command goes on. --undo --apply wants the word that --undo tells.
"""
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command(epilog=_EPILOG)
@click.argument("source")
@click.argument("target")
@click.option(
    "--journal", type=_FILE, required=True, metavar="FILE", help="What was done, and what was not; made by --apply."
)
@click.option(
    "--external-id",
    type=click.Choice(["id", "external_id"]),
    default="id",
    show_default=True,
    help="Which of a source customer's ids becomes its external id at the target.",
)
@click.option(
    "--on-conflict",
    type=click.Choice(["refuse", "skip", "update"]),
    default="refuse",
    show_default=True,
    help="A customer that TARGET has with other values, not from an earlier move.",
)
@click.option(
    "--on-loss",
    type=click.Choice(["metadata", "drop", "refuse"]),
    default="metadata",
    show_default=True,
    help="A field that TARGET lacks: keep it in its metadata, drop it, or don't move that customer.",
)
@click.option("--match-email", is_flag=True, help="Where nobody has the external id, look for the e-mail.")
@click.option("--status", metavar="WORD", help='Of SOURCE: active, archived, …, or "any".')
@click.option("--apply", is_flag=True, help="Run the plan, or go on with it; with --undo, undo.")
@click.option(
    "--concurrency",
    type=click.IntRange(min=1),
    default=4,
    show_default=True,
    metavar="N",
    help="Writes in flight at the same time.",
)
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), metavar="N", help="Writes a second, at the most.")
@click.option("--verify", is_flag=True, help="Read back what was written, and compare.")
@click.option("--undo", is_flag=True, help="Take back what the journal created; only tells, without --apply.")
@click.option("--confirm", metavar="WORD", help="The word that --undo tells.")
@click.option("--map", "map_file", type=_FILE, metavar="FILE", help="Write who became whom: .csv, .jsonl or .parquet.")
@click.option("--html", type=_FILE, metavar="FILE", help="Write a page: of the plan, or with --apply of the result.")
@on_bad_record("skip")
@output("table", "json", "jsonl", default="table")
@shared
def migrate(source: str, target: str, **options: Any) -> None:
    """Move the customers of SOURCE to TARGET: two providers' names, or accounts of --accounts."""
    _Migration(source, target, options, state()).carry_out()


class _Migration:
    """One use of the command."""

    def __init__(self, source: str, target: str, options: dict[str, Any], held: State) -> None:
        self._source = source
        self._target = target
        self._options = options
        self._held = held
        self._journal: Path = options["journal"]
        self._json: dict[str, Any] = {}
        self._refuse_mixtures()

    def _refuse_mixtures(self) -> None:
        given = self._options
        if given["undo"] and (given["verify"] or given["map_file"]):
            raise click.UsageError("--undo goes alone, or with --apply")
        if given["html"] and (given["undo"] or not (given["apply"] or self._plans())):
            raise click.UsageError("--html goes with a plan, or with --apply")
        if given["confirm"] and not (given["undo"] and given["apply"]):
            raise click.UsageError("--confirm goes with --undo --apply")
        if given["output"] == "jsonl" and (given["undo"] or given["verify"] or given["apply"]):
            raise click.UsageError("-o jsonl writes the plan: it goes without --apply, --verify and --undo")

    def carry_out(self) -> None:
        """Do what the options say."""
        try:
            self._carry_out()
        except uc.CustomersError as error:
            error.checkpoint = None  # a plan starts from the beginning, and so do the others
            raise
        finally:
            if self._json:
                both = self._options["apply"] and self._options["verify"]
                streams.write(migrate_show.as_json(self._json if both else next(iter(self._json.values()))))

    def _carry_out(self) -> None:
        given = self._options
        if given["undo"]:
            self._with_target(self._undo)
        elif given["apply"]:
            self._with_target(self._run)
        elif self._plans():
            self._with_target(self._show)
        if given["verify"]:
            self._with_target(self._verify)
        if given["map_file"]:
            self._write_map()

    def _plans(self) -> bool:
        """Whether the plan is to be shown."""
        return not any(self._options[name] for name in ("apply", "undo", "verify", "map_file"))

    def _with_target(self, do: Callable[[uc.Client], None]) -> None:
        with self._connect(self._target) as client:
            do(client)

    def _connect(self, name: str) -> uc.Client:
        return accounts.connect(name, self._held.accounts, teller(self._held))

    def _planned(self, target: uc.Client) -> uc.MovePlan:
        chosen = {name: self._options[name] for name in ("external_id", "on_conflict", "on_loss", "match_email")}
        asked = {name: self._options[name] for name in ("status", "on_bad_record") if self._options[name]}
        with self._connect(self._source) as source:
            return uc.plan(source.customers(**asked), target, **chosen)

    def _show(self, target: uc.Client) -> None:
        with self._planned(target) as plan:
            for text in migrate_show.plan_texts(plan, self._options["output"]):
                streams.write(text)
            self._write_page(plan)
            if not self._held.quiet and self._options["output"] == "table":
                streams.say("nothing was sent; --apply does it")

    def _run(self, target: uc.Client) -> None:
        with self._planned(target) as plan, Bar(quiet=self._held.quiet, limit=None) as bar:
            try:
                with bar.waiting():
                    result = self._carried_out(plan, bar)
            except KeyboardInterrupt:
                raise exits.Interrupted(advice=self._go_on()) from None
            except uc.MoveStoppedError as stopped:
                if stopped.result is not None:
                    self._tell("run", stopped.result, lambda _: "")  # the error has it in words
                    self._write_page(stopped.result)
                raise
        self._tell("run", result, migrate_show.result_text)
        self._write_page(result)
        self._judge(result)

    def _tell(self, name: str, found: Any, worded: Callable[[Any], str]) -> None:
        """On stdout: as text at once, as JSON at the end, in one document."""
        if self._options["output"] == "json":
            self._json[name] = migrate_show.plain(found)
        else:
            streams.write(worded(found))

    def _refuse_other_source(self) -> None:
        """Where the source itself is not asked, the journal knows which it was."""
        was = uc.MoveResult.read(self._journal).source
        if was and accounts.provider(self._source, self._held.accounts) != was:
            raise exits.Failure(f"{self._journal} is the journal of a move from {was}, not from {self._source}")

    def _write_page(self, shown: uc.MovePlan | uc.MoveResult) -> None:
        path: Path | None = self._options["html"]
        if path is None:
            return
        text = shown.to_html()
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise exits.Failure(f"{path} can't be written: {error.strerror}") from None

    def _carried_out(self, plan: uc.MovePlan, bar: Bar) -> uc.MoveResult:
        def tell(event: uc.MoveEvent) -> None:
            bar.came(event.done, 1, event.total)
            if event.reason and self._held.verbose:
                streams.say(f"{event.source_id}: {event.kind}: {event.reason}")

        given = self._options
        return plan.run(self._journal, concurrency=given["concurrency"], rate=given["rate"], on_event=tell)

    def _go_on(self) -> str:
        try:
            done = f" ({uc.MoveResult.read(self._journal)})"
        except uc.ConfigurationError:  # it was not begun yet
            done = ""
        return f"{done}; to go on, repeat the command with the same --journal"

    def _judge(self, result: uc.MoveResult) -> None:
        stuck = sum(result.not_moved.values())
        if stuck and not self._held.quiet:
            what = "customers were not moved, or not brought up to date"
            streams.say(f"warning: {stuck} {what}, each with its reason in the plan")
        if not result.complete:
            raise exits.Failure(
                f"{result.refused} refused, {result.unknown} unknown, {result.left} left: see the problems, mend them, "
                "and repeat the command with the same --journal"
            )

    def _verify(self, target: uc.Client) -> None:
        self._refuse_other_source()
        found = uc.verify(self._journal, target)
        self._tell("verification", found, lambda found: f"{found}\n")
        if not found.good:
            raise exits.Failure("the target is not as planned")

    def _undo(self, target: uc.Client) -> None:
        self._refuse_other_source()
        given = self._options
        pace = {name: given[name] for name in ("concurrency", "rate")}
        found = uc.undo(self._journal, target, apply=given["apply"], confirm=given["confirm"], **pace)
        self._tell("undo", found, migrate_show.undo_text)
        if not found.applied and found.undone and not self._held.quiet:
            streams.say(f"nothing was sent; --undo --apply --confirm {found.word!r} does it")
        if found.applied and found.refused:
            raise exits.Failure(f"the target would not let {len(found.refused)} customers go: they are still there")

    def _write_map(self) -> None:
        self._refuse_other_source()
        number = uc.MoveMap(self._journal).write(self._options["map_file"])
        if not self._held.quiet:
            streams.say(f"{number} customers in {self._options['map_file']}")
