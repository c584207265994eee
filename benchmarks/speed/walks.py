"""One walk over a list, at full speed: the library against the bare loop and against its peers.

Knows which contenders take part and what is asked of them; must not know how they are written. All contenders of one
provider run in the same rounds, against one server, and see the same customers.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.environments import PINS, python_of

from .outcome import Outcome, Setup, Target, compared
from .processes import BrokenContenderError, Program
from .rounds import Samples, interleave

_HARD = {"flexprice": Target(most=1.8, aim=1.5), "flexportal": Target(most=1.6, aim=1.3), "flatpeak": None}
_SIZES = {"flexprice": 1000, "flexportal": 100, "flatpeak": 100}
_TITLES = {"flexprice": "Flexprice", "flexportal": "FlexPortal", "flatpeak": "Flatpeak"}
BARE = f"bare {PINS['bare'][0].replace('==', ' ')} + {PINS['bare'][1].replace('==', ' ')}"


def bare(base: str, provider: str, **options: object) -> Program:
    """The bare loop, reading that list in the provider's largest pages."""
    told = {"base": base, "provider": provider, "size": _SIZES[provider], **options}
    return Program(script="bare", options=told, python=python_of("bare"))


def flexprice(setup: Setup) -> list[Outcome]:
    """Pages of 1000."""
    customers = 9_500 if setup.quick else 19_500  # the last page is short, so nobody asks for an empty one
    base = setup.address(customers)
    programs = _own(setup, base, "flexprice")
    if setup.peers:
        programs |= {
            "flexprice": _peer("flexprice", "peer_flexprice", base),
            "dlt": _peer("dlt", "peer_dlt", base, provider="flexprice"),
            "singer": _peer("singer", "peer_singer", base),
        }
    samples = interleave(programs, setup.rounds, expect=customers)
    _refuse_other_scan(samples)
    return [*_rows(samples, "flexprice"), *(_peers(samples) if setup.peers else ())]


def flexportal(setup: Setup) -> list[Outcome]:
    """Pages of 100."""
    customers = 1_950 if setup.quick else 4_950
    base = setup.address(customers)
    programs = _own(setup, base, "flexportal")
    if setup.peers:
        programs["dlt"] = _peer("dlt", "peer_dlt", base, provider="flexportal")
    samples = interleave(programs, setup.rounds, expect=customers)
    rows = _rows(samples, "flexportal")
    if setup.peers:
        what = f"FlexPortal: {_pin('dlt')} RESTClient, plain dicts / ours"
        rows.append(compared("flexportal-dlt", what, samples, "dlt", "ours", target=Target(least=2)))
    return rows


def flatpeak(setup: Setup) -> list[Outcome]:
    """Pages of 100, and small records."""
    customers = 1_950 if setup.quick else 4_950
    return _rows(
        interleave(_own(setup, setup.address(customers), "flatpeak"), setup.rounds, expect=customers), "flatpeak"
    )


def _own(setup: Setup, base: str, provider: str) -> dict[str, Program]:
    programs = {
        "bare": bare(base, provider),
        "ours": setup.ours(base, provider),
        "ours, async": setup.ours(base, provider, asynchronous=True),
    }
    if not setup.quick:
        programs["bare, async"] = bare(base, provider, asynchronous=True)
        programs["ours, every field read"] = setup.ours(base, provider, read="fields")
    return programs


def _rows(samples: Samples, provider: str) -> list[Outcome]:
    title = f"{_TITLES[provider]}, {_SIZES[provider]}-row pages"
    rows = [
        compared(provider, f"{title}: ours / {BARE}", samples, "ours", "bare", target=_HARD[provider]),
        compared(
            f"{provider}-async",
            f"{_TITLES[provider]}: `AsyncClient` / `Client`",
            samples,
            "ours, async",
            "ours",
            target=Target(most=1.3),
        ),
    ]
    if "bare, async" in samples:
        rows += [
            compared(
                f"{provider}-fields",
                f"{title}: ours with every field and `raw` read / bare",
                samples,
                "ours, every field read",
                "bare",
            ),
            compared(f"{provider}-bare-async", f"{title}: bare async / bare sync", samples, "bare, async", "bare"),
        ]
    return rows


def _refuse_other_scan(samples: Samples) -> None:
    """The default is measured, which is the keyset: an offset walk would be another, and say nothing of it."""
    scans = {sample.found["scan"] for name, of in samples.items() if name.startswith("ours") for sample in of}
    if scans != {"keyset"}:
        raise BrokenContenderError(f"ours read by {', '.join(map(str, scans))}")


def _peers(samples: Samples) -> list[Outcome]:
    return [
        compared(
            "flexprice-sdk",
            f"{_pin('flexprice')} SDK, mapped to one model / ours",
            samples,
            "flexprice",
            "ours",
            target=Target(least=2.5),
        ),
        compared(
            "flexprice-dlt",
            f"{_pin('dlt')} RESTClient, plain dicts / ours",
            samples,
            "dlt",
            "ours",
            target=Target(least=2),
        ),
        compared(
            "flexprice-singer",
            f"{_pin('singer')} stream of dicts / ours",
            samples,
            "singer",
            "ours",
            target=Target(least=1),
        ),
    ]


def _pin(name: str) -> str:
    return PINS[name][0].replace("==", " ")


def _peer(environment: str, script: str, base: str, **options: str) -> Program:
    python: Path = python_of(environment)
    return Program(script=script, options={"base": base, **options}, python=python)
