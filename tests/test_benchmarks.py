"""The benchmark of completeness: what its table says of this library stays true, and its verdicts are just."""

import pytest

import unified_customers as uc
from benchmarks.completeness.adversaries import ADVERSARIES
from benchmarks.completeness.stage import job_for, on_stage
from benchmarks.completeness.tools import TOOLS
from benchmarks.completeness.verdicts import judge
from benchmarks.peers.asking import Flat, read

SIZE, PAGE = 480, 80
OURS = [(tool, adversary) for tool in TOOLS if tool.key.startswith("ours") for adversary in ADVERSARIES]
OURS = [pytest.param(tool, adversary, id=f"{tool.wire}-{tool.key}-{adversary.key}")
        for tool, adversary in OURS if tool.wire in adversary.wires]  # fmt: skip
ACCOUNTS = {"flexprice": uc.Flexprice, "flexportal": uc.FlexPortal, "flatpeak": uc.Flatpeak}
FILTERS = {"reference_id": "external_id"}
REFUSED = {"same", "circle", "more", "filter", "bad"}  # a server that keeps on lying gets an error
RESUMED = {"no-cursor", "outage"}  # one that stops gets an error, and the walk goes on


class Ids:
    """Ids of a walk; an error passes through, and the walk stays where it is."""

    def __init__(self, walk):
        self.walk = walk

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.walk).id


def walked(tool, adversary, seed=0):
    now = [0.0]  # a clock that the walk's own waits move

    def sleep(seconds):
        now[0] += seconds

    with on_stage(tool.wire, seed, adversary.prepare, SIZE) as stage:
        stage.clock = lambda: now[0]
        job = job_for(stage, PAGE)
        filters = {FILTERS.get(name, name): value for name, value in (job["filter"] or {}).items()}
        with uc.Client(ACCOUNTS[tool.wire](**job["settings"], **tool.options), _sleep=sleep) as client:
            said = read(lambda _job: Ids(iter(client.customers(page_size=PAGE, **filters))), job)
        allowed = None if stage.filter is None else stage.wanted
        return judge(said, stage.there_throughout(), allowed, sorted(stage.notes), stage.requests)


@pytest.mark.parametrize(("tool", "adversary"), OURS)
def test_no_adversary_makes_a_walk_end_wrong_without_an_error(tool, adversary):
    """Each adversary of the published table ends in all customers once each, or in an error of ours."""
    verdict = walked(tool, adversary)
    assert not verdict.doubled
    assert bool(verdict.errors) == (adversary.key in REFUSED | RESUMED), verdict
    assert verdict.kind == ("told" if verdict.errors else "complete")
    assert adversary.key in REFUSED or not verdict.lost
    assert not verdict.notes, "a walk that was told when to ask again asks no earlier"


def said(ids, errors=(), ended=True):
    return {"ids": list(ids), "errors": [{"error": name} for name in errors], "ended": ended}


@pytest.mark.parametrize(
    ("reading", "kind", "words"),
    [
        (said("abc"), "complete", "complete"),
        (said("ab"), "silent", "lost 1, said nothing"),
        (said("abcab"), "silent", "doubled 2, said nothing"),
        (said("abcx"), "silent", "1 that the filter excludes, said nothing"),
        (said("a", ["OSError"], ended=False), "told", "raises OSError"),
        (said("abc", ["OSError"]), "told", "raises OSError; asked again: complete"),
        (said("a", ["OSError"]), "told", "raises OSError; asked again, it ends: lost 2"),
    ],
)
def test_a_verdict_says_who_is_missing_and_whether_anybody_was_told(reading, kind, words):
    """The cell of a reading of the list a, b, c."""
    verdict = judge(reading, set("abc"), set("abc"), [], 1)
    assert (verdict.kind, verdict.words) == (kind, words)


def test_a_reading_asks_the_same_iterator_again_after_an_error():
    """The helper that reads for every peer hides no row and no error of theirs."""

    def pages():
        yield ["a", "b"]
        raise OSError("gone")

    with on_stage("flatpeak", 0, lambda _stage: None) as stage:
        found = read(lambda _job: Flat(pages(), str), job_for(stage))
        assert stage.told
    assert found["ids"] == ["a", "b"]
    assert [(error["error"], error["after"]) for error in found["errors"]] == [("OSError", 2)]
    assert found["ended"], "a generator that raised says that it has ended: that is what the table shows"
