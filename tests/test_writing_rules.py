"""What may be written where: a table for each provider, the recorded server as its referee, and properties."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from boxed import Boxed, Writer
from fakes import flatpeak, flexportal, flexprice
from hypothesis import given, settings
from hypothesis import strategies as st

import unified_customers as uc
from unified_customers import _fields
from unified_customers.adapters.flexprice import writing

ACCOUNTS = {"flexportal": flexportal(), "flexprice": flexprice(), "flatpeak": flatpeak()}
WHOLE = {"name": "Ada", "external_id": "x"}
HOME = uc.Address(name="Ada", line1="Street 1", city="Köln", country="Germany")
RECORDED = Path(__file__).parent / "data/real_flexprice/exchanges.jsonl"


def faults(account, /, creating=True, **fields):
    return _fields.faults(ACCOUNTS[account], fields, creating=creating)


# Flexprice: docs/providers/flexprice.md, "Writing"

FLEXPRICE = {
    "no name": ({"name": None}, "name", "is required"),
    "no external id": ({"external_id": None}, "external_id", "is required"),
    "an empty name": ({"name": ""}, "name", "is empty"),
    "a name of 256": ({"name": "ö" * 256}, "name", "longer than 255 characters"),
    "an external id of 256": ({"external_id": "e" * 256}, "external_id", "longer than 255 characters"),
    "a phone of 21": ({"phone": "1" * 21}, "phone", "longer than 20 characters"),
    "a number for a phone": ({"phone": 49}, "phone", "is a text, not int"),
    "no e-mail": ({"email": "nope"}, "email", "no e-mail address"),
    "an e-mail with a space": ({"email": "a b@example.com"}, "email", "no e-mail address"),
    "an e-mail without a domain of two": ({"email": "a@localhost"}, "email", "no e-mail address"),
    "an e-mail with a name": ({"email": "Ada <ada@example.com>"}, "email", "no e-mail address"),
    "an e-mail of 300": ({"email": "a" * 300 + "@example.com"}, "email", "longer than 255"),
    "a null character": ({"name": "A\0"}, "name", "null character"),
    "half a character": ({"name": "\ud800"}, "name", "half a character"),
    "128 letters of two bytes": (
        {"billing_address": uc.Address(line1="ö" * 128)},
        "billing_address.line1",
        "255 bytes",
    ),
    "a long second line": ({"billing_address": uc.Address(line2="a" * 256)}, "billing_address.line2", "255 bytes"),
    "a long city": ({"billing_address": uc.Address(city="ö" * 51)}, "billing_address.city", "100 bytes"),
    "a long state": ({"billing_address": uc.Address(state="a" * 101)}, "billing_address.state", "100 bytes"),
    "a long code": ({"billing_address": uc.Address(postal_code="1" * 21)}, "billing_address.postal_code", "20 bytes"),
    "an empty city": ({"billing_address": uc.Address(city="")}, "billing_address.city", "is empty"),
    "no country": ({"billing_address": uc.Address(country="Nowhere")}, "billing_address.country", "no certain ISO"),
    "no code": ({"billing_address": uc.Address(country_code="XX")}, "billing_address.country_code", "no ISO 3166-1"),
    "a small code": ({"billing_address": uc.Address(country_code="de")}, "billing_address.country_code", "capital"),
    "two countries": (
        {"billing_address": uc.Address(country="Germany", country_code="FR")},
        "billing_address.country",
        "another country",
    ),
    "no address": ({"billing_address": {"city": "Bonn"}}, "billing_address", "is an Address, not dict"),
    "metadata with a number": ({"metadata": {"a": 1}}, "metadata", "type int"),
    "metadata with a null": ({"metadata": {"a": None}}, "metadata", "type NoneType"),
    "metadata that is a list": ({"metadata": ["a"]}, "metadata", "is a mapping, not list"),
    "a key that is no text": ({"metadata": {1: "a"}}, "metadata", "no text but int"),
    "an empty key": ({"metadata": {"": "a"}}, "metadata", "empty key"),
    "a null character in metadata": ({"metadata": {"a": "\0"}}, "metadata.a", "null character"),
    "no gstin": ({"metadata": {"gstin": "x"}}, "metadata.gstin", "Indian tax number"),
    "no pan": ({"metadata": {"pan": "abcd1234f"}}, "metadata.pan", "Indian tax number"),
    "no hsn_sac": ({"metadata": {"hsn_sac": "123"}}, "metadata.hsn_sac", "Indian tax number"),
    "no time zone": ({"params": {"timezone": "Mars/Phobos"}}, "params.timezone", "IANA name"),
    "an empty time zone": ({"params": {"timezone": ""}}, "params.timezone", "can't be cleared"),
    "Go's word for none": ({"params": {"timezone": "Local"}}, "params.timezone", "IANA name"),
    "a time zone that is no text": ({"params": {"timezone": ["Europe/Berlin"]}}, "params.timezone", "IANA name"),
    "a field that is a keyword": ({"params": {"contact": "1"}}, "params.contact", "use the keyword"),
    "what can't be JSON": ({"params": {"tax_rate_overrides": {1, 2}}}, "params.tax_rate_overrides", "can't be sent"),
    "no number": ({"params": {"priority": float("nan")}}, "params.priority", "can't be sent"),
}
LACKING = {
    "a mapping that is ignored": (
        {"params": {"integration_entity_mapping": []}},
        "params.integration_entity_mapping",
        "ignored",
    ),
    "a company": ({"company": "C"}, "company", "no field that Flexprice creates"),
    "a kind": ({"kind": "business"}, "kind", "no field that Flexprice creates"),
    "a status": ({"status": "archived"}, "status", "no field that Flexprice creates"),
    "another address": ({"shipping_address": HOME}, "shipping_address", "no field that Flexprice creates"),
    "a name at an address": ({"billing_address": HOME}, "billing_address.name", "no part that Flexprice stores"),
}


@pytest.mark.parametrize(("fields", "field", "rule"), FLEXPRICE.values(), ids=FLEXPRICE)
def test_flexprice_refuses_the_value(fields, field, rule):
    """One fault, of that field and for that reason; raised as an InvalidRequestError without a status."""
    (fault,) = faults("flexprice", **{**WHOLE, **fields})
    assert (fault.field, fault.kind) == (field, "invalid")
    assert rule in fault.rule
    with pytest.raises(uc.InvalidRequestError) as caught:
        _fields.checked(ACCOUNTS["flexprice"], {**WHOLE, **fields}, creating=True)
    assert caught.value.faults == (fault,)
    assert caught.value.status is None
    assert f"{fault.field}: {fault.rule}" in str(caught.value)


@pytest.mark.parametrize(("fields", "field", "rule"), LACKING.values(), ids=LACKING)
def test_flexprice_lacks_the_field(fields, field, rule):
    """An UnsupportedError, for no other value would do."""
    (fault,) = faults("flexprice", **{**WHOLE, **fields})
    assert (fault.field, fault.kind) == (field, "unsupported")
    assert rule in fault.rule
    with pytest.raises(uc.UnsupportedError):
        _fields.checked(ACCOUNTS["flexprice"], {**WHOLE, **fields}, creating=True)


WELL = {
    "255 characters, however many bytes": {"name": "ö" * 255, "external_id": "ö" * 255},
    "127 letters of two bytes": {"billing_address": uc.Address(line1="ö" * 127)},
    "20 characters": {"phone": "ö" * 20},
    "a country by name": {"billing_address": uc.Address(country="United Kingdom")},
    "a country by a code in small letters": {"billing_address": uc.Address(country="de")},
    "a name beside a code": {"billing_address": uc.Address(country="Deutschland", country_code="DE")},
    "a quote in an e-mail": {"email": "o'brien+1@example.co"},
    "letters beyond ASCII in an e-mail": {"email": "zoë@exämple.de"},
    "tax numbers": {"metadata": {"gstin": "29ABCDE1234F1Z5", "pan": "ABCDE1234F", "hsn_sac": "998314"}},
    "tax numbers as people write them": {"metadata": {"gstin": " 29abcde1234f1z5 ", "pan": "", "hsn_sac": ""}},
    "Kosovo": {"billing_address": uc.Address(country="XK", country_code="XK")},
    "an e-mail that is quoted": {"email": '"a \\" b"@example.co'},
    "an empty text in metadata": {"metadata": {"k": ""}},
    "own parameters": {"params": {"timezone": "Asia/Kolkata", "skip_onboarding_workflow": True}},
}


@pytest.mark.parametrize("fields", WELL.values(), ids=WELL)
def test_flexprice_takes_the_value(fields):
    """No fault, and the sandbox takes it."""
    assert faults("flexprice", **{**WHOLE, **fields}) == ()
    Writer(Boxed("flexprice")).create(**{**WHOLE, **fields})


def recorded(method):
    """Recorded writes of a real server: the fields of the body, and the status."""
    for line in RECORDED.read_text(encoding="utf-8").splitlines():
        exchange = json.loads(line)
        request = exchange["request"]
        if request["method"] == method and not request["path"].endswith("/search"):
            yield exchange["name"], request["body"], exchange["response"]["status"]


def as_fields(body):
    """A wire body in the words of a caller."""
    sent = json.loads(body)
    names = {wire: name for name, wire in writing._NAMES.items()}
    parts = {wire: part for part, wire in writing.ADDRESS.items()}
    fields = {names[key]: value for key, value in sent.items() if key in names}
    address = {("country_code" if parts[key] == "country" else parts[key]): sent[key] for key in sent if key in parts}
    own = {key: value for key, value in sent.items() if key not in {**names, **parts}}
    return {
        **fields,
        **({"billing_address": uc.Address(**address)} if address else {}),
        **({"params": own} if own else {}),
    }


def test_every_create_that_the_real_server_took_is_taken_here_and_every_one_it_refused_is_refused():
    """But a taken external id, which nobody can know beforehand, and bodies that this library never writes."""
    seen = set()
    for name, body, status in recorded("POST"):
        if status == 409 or name in {"malformed json", "empty body"}:
            continue
        found = faults("flexprice", **as_fields(body))
        assert bool(found) == (status != 201), (name, status, found)
        seen.add(status)
    assert seen == {201, 400, 500}


def test_every_update_that_crashed_or_was_refused_is_refused_here():
    """An empty text is how this library clears what can be cleared; a caller says None."""
    for name, body, status in recorded("PUT"):
        if status in {404, 409} or name in {"neither id", "external_id, metadata null"}:
            continue
        fields = {key: None if value == "" else value for key, value in as_fields(body).items()}
        if "billing_address" in fields:
            fields["billing_address"] = uc.Address()
        assert bool(faults("flexprice", creating=False, **fields)) == (status != 200), (name, status)


# The others


def test_flexportal_tells_all_that_is_wrong():
    """Names can't be emptied, addresses need four parts, and words have to be known."""
    found = faults(
        "flexportal",
        creating=False,
        first_name="",
        last_name=None,
        company=None,
        email="nope",
        kind="club",
        status="gone",
        external_id="x",
        metadata={},
        billing_address=uc.Address(line1="S", line2="", country="NL"),
        shipping_address=None,
        params={"customerId": "x", "notes": "y"},
    )
    assert sorted((fault.field, fault.kind) for fault in found) == [
        ("billing_address.city", "invalid"),
        ("billing_address.line2", "invalid"),
        ("billing_address.name", "invalid"),
        ("company", "unsupported"),
        ("email", "invalid"),
        ("external_id", "unsupported"),
        ("first_name", "invalid"),
        ("kind", "invalid"),
        ("last_name", "unsupported"),
        ("metadata", "unsupported"),
        ("params.customerId", "invalid"),
        ("shipping_address", "unsupported"),
        ("status", "invalid"),
    ]


def test_flexportal_takes_all_that_its_pages_name():
    """Under its own names; the id goes along, and a country as it is given."""
    boxed = Boxed("flexportal", customers=1)
    own = boxed.provider.ids[0]
    made = Writer(boxed).update(
        own,
        first_name="Ada",
        last_name="Lovelace",
        company="Engines",
        email="ada@example.com",
        phone="+31 6",
        kind=uc.Kind.BUSINESS,
        status=uc.Status.INACTIVE,
        billing_address=HOME,
        shipping_address=uc.Address(
            name="A", company="E", line1="S", line2="3rd", city="C", state="S", country_code="NL"
        ),
        params={"notes": "y"},
    )
    assert (made.name, made.company, made.kind, made.status) == ("Ada Lovelace", "Engines", "business", "inactive")
    assert (made.billing_address.country, made.shipping_address.line2) == ("Germany", "3rd")
    sent = json.loads(boxed.bodies[0])
    assert (sent["customerId"], sent["notes"], sent["shippingAddress"]["country"]) == (own, "y", "NL")


def test_flatpeak_stores_a_reference_only():
    """And can't clear it."""
    assert faults("flatpeak") == faults("flatpeak", external_id="x") == ()
    assert [f.field for f in faults("flatpeak", name="A", email="a@b.co", metadata={})] == ["name", "email", "metadata"]
    assert faults("flatpeak", creating=False, external_id=None)[0].kind == "unsupported"
    assert faults("flatpeak", params={"reference_id": "x"})[0].field == "params.reference_id"


def test_a_provider_that_creates_nobody_says_so_once():
    """Whatever the fields: its own reason."""
    for fields in ({}, {"first_name": "A", "company": "C"}):
        (fault,) = faults("flexportal", **fields)
        assert (fault.field, fault.kind) == ("create", "unsupported")
        assert "first order" in fault.rule


@pytest.mark.parametrize("name", ACCOUNTS)
def test_a_misspelt_field_is_named(name):
    """It is no fault of a row but of the program."""
    for creating in (True, False):
        with pytest.raises(uc.UnsupportedError, match=r"no field emial=: did you mean email\?"):
            faults(name, creating, emial="a@b.co")


@pytest.mark.parametrize("name", ACCOUNTS)
def test_an_update_of_nothing_is_refused(name):
    """It would be a request for no reason."""
    with pytest.raises(uc.InvalidRequestError, match="nothing to change"):
        _fields.checked(ACCOUNTS[name], {}, creating=False)


@pytest.mark.parametrize("name", ACCOUNTS)
def test_capabilities_name_fields_that_there_are(name):
    """What is required can be given, what is cleared can be changed, and parts are an address's."""
    can = uc.providers()[name]
    assert {*can.creates, *can.updates} <= {*_fields.KNOWN}
    assert {*can.requires} <= {*can.creates}
    assert {*can.clears} <= {*can.updates}
    assert {*can.address} <= {"name", "company", "line1", "line2", "city", "state", "postal_code", "country"}


# Properties

ANY_TEXT = (
    st.text(st.characters(), max_size=30) | st.text("aö\0\ud800 ", max_size=6) | st.integers(1, 300).map("ö".__mul__)
)
COUNTRIES = st.sampled_from(["DE", "NL", "Germany", "de", "XX", "Nowhere", "", "United States"])
PARTS = {name: st.none() | ANY_TEXT for name in ("line1", "line2", "city", "state", "postal_code")}
ADDRESSES = st.builds(
    uc.Address, **PARTS, name=st.none() | ANY_TEXT, country=st.none() | COUNTRIES, country_code=st.none() | COUNTRIES
)
VALUES = ANY_TEXT | st.integers() | st.none()
KEYS = ANY_TEXT | st.sampled_from(["gstin", "pan", "hsn_sac", "_fp_x", "plan"])
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "name": ANY_TEXT | st.just("Ada"),
        "external_id": ANY_TEXT | st.just("x"),
        "email": ANY_TEXT | st.emails() | st.none(),
        "phone": ANY_TEXT | st.none() | st.integers(),
        "billing_address": ADDRESSES | st.none() | ANY_TEXT,
        "metadata": st.dictionaries(KEYS, VALUES, max_size=3) | st.none(),
        "params": st.fixed_dictionaries({}, optional={"timezone": ANY_TEXT | st.just("Europe/Berlin")}),
    },
)
DECENT = st.fixed_dictionaries(
    {"name": st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1, max_size=255)},
    optional={
        "email": st.emails(),
        "phone": st.text("+0123456789 ", min_size=1, max_size=20),
        "metadata": st.dictionaries(st.sampled_from("abc"), st.text("aö", max_size=9)),
        "billing_address": st.builds(
            uc.Address, line1=st.text("aö", min_size=1, max_size=120), country=st.sampled_from(["Germany", "NL"])
        ),
        "params": st.just({"timezone": "Europe/Berlin"}),
    },
)


def leaves(value):
    """Every text in what a caller gave."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, uc.Address):
        yield from (v for v in (value.line1, value.line2, value.city, value.state, value.name) if isinstance(v, str))
    elif isinstance(value, dict):
        for inner in value.values():
            yield from leaves(inner)


@given(FIELDS)
@settings(max_examples=300)
def test_what_has_no_fault_is_taken_and_what_has_one_is_never_sent(fields):
    """The sandbox refuses nothing that is sent, and shows what was sent; faults tell no value."""
    boxed = Boxed("flexprice")
    writer, found = Writer(boxed), faults("flexprice", **fields)
    if not found:
        made = writer.create(**fields)
        assert writer.customer(made.id).name == fields["name"]
        return
    with pytest.raises(uc.CustomersError) as caught:
        writer.create(**fields)
    assert boxed.sent == []
    assert caught.value.faults == found
    secrets = [text for text in leaves(fields) if len(text) > 6 and text.isprintable()]
    assert not any(text in str(caught.value) for text in secrets)


@given(DECENT, FIELDS)
@settings(max_examples=300)
def test_an_update_without_a_fault_is_taken(whole, changes):
    """Unless it would clear a country, which only a look can tell; and then nothing was changed."""
    boxed = Boxed("flexprice")
    writer = Writer(boxed)
    made = writer.create(external_id="id", **whole)
    if not changes or faults("flexprice", creating=False, **changes):
        with pytest.raises(uc.CustomersError):
            writer.update(made.id, **changes)
        assert boxed.writes == 1
        return
    address, had = changes.get("billing_address", HOME), made.billing_address
    if had and had.country and (address is None or not (address.country or address.country_code)):
        with pytest.raises(uc.UnsupportedError, match="has a country"):
            writer.update(made.id, **changes)
        assert boxed.writes == 1
    else:
        writer.update(made.id, **changes)


@given(DECENT)
def test_a_decent_customer_has_no_fault(fields):
    """The rules are not stricter than the server's."""
    assert faults("flexprice", external_id="id", **fields) == ()
    made = Writer(Boxed("flexprice")).create(external_id="id", **fields)
    assert ACCOUNTS["flexprice"].differences(fields, made) == ()
