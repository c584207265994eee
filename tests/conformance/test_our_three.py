"""Our own adapters pass the kit with nothing switched off, over every kind of server that they are made for.

Flexprice's `scan="keyset"` is not among them: asked for by name, it refuses lists whose times are null rather than
read them another way.
"""

from __future__ import annotations

from functools import partial

from fakes import flatpeak, flexportal, flexprice
from our_servers import Peak, Portal, Price

from unified_customers import conformance


def at(make, **settings):
    """An adapter's maker as the kit calls it."""
    return staticmethod(lambda base_url: make(base_url=base_url, **settings))


class TestFlexPortal(conformance.Conformance):
    adapter = at(flexportal)
    server = Portal


class TestFlexPortalWithOpaqueCursors(conformance.Conformance):
    adapter = at(flexportal)
    server = partial(Portal, cursor="opaque", lost="restart")


class TestFlexprice(conformance.Conformance):
    adapter = at(flexprice)
    server = Price


class TestFlexpriceWithoutSearch(conformance.Conformance):
    adapter = at(flexprice)
    server = partial(Price, search=False)


class TestFlexpriceByOffset(conformance.Conformance):
    adapter = at(flexprice, scan="offset")
    server = Price


class TestFlatpeak(conformance.Conformance):
    adapter = at(flatpeak)
    server = Peak


class TestFlatpeakWithAToken(conformance.Conformance):
    adapter = at(flatpeak, account_id=None, api_key=None, bearer_token="tok1")
    server = partial(Peak, signed_in=True)
