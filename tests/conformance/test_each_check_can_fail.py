"""Each check of the kit fails for an adapter, or a server, that is broken in its way; none is added without proof."""

from __future__ import annotations

import broken_answers
import broken_records
import broken_settings
import broken_walks
import broken_writing
import pytest
from proof import PROOFS, Proof
from shop import KEY

from unified_customers import conformance

BROKEN = (broken_walks, broken_answers, broken_records, broken_settings, broken_writing)  # which fill PROOFS
CHECKS = sorted(name for name in dir(conformance.Conformance) if name.startswith("test_"))


def kit(proof: Proof) -> conformance.Conformance:
    """The kit over a broken shop."""

    class Broken(conformance.Conformance):
        adapter = staticmethod(lambda base_url: proof.adapter(api_key=KEY, base_url=base_url))
        server = staticmethod(proof.server)

    return Broken()


@pytest.mark.parametrize("proof", PROOFS, ids=lambda p: f"{p.check}-{p.says[:30]}")
def test_a_check_fails_where_its_rule_is_broken(proof):
    """With words that name what is wrong."""
    with pytest.raises(AssertionError) as caught:
        getattr(kit(proof), proof.check)()
    assert proof.says in str(caught.value)


def test_every_check_has_a_proof():
    """A check that can't fail checks nothing."""
    assert sorted({proof.check for proof in PROOFS}) == CHECKS
