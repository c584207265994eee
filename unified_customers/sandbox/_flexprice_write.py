"""What the real Flexprice accepts in a body: types, lengths, formats, and what it does with the rest.

Knows the rules of create and update. Must not know rows beyond one customer's fields, nor HTTP replies.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from ._flexprice_filters import PanicError
from ._json import load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._table import Fields

_EMAIL = re.compile(r"([^\s@<>()\[\],;:\\\"]+|\"(?:[^\"\\\x00-\x1f]|\\.)+\")@[^\s@.]+(\.[^\s@.]+)+\Z")
_COUNTRY_CODES = (
    "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS "
    "BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE "
    "EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM "
    "HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC "
    "LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA "
    "NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW "
    "SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO "
    "TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW "
)
_COUNTRIES = frozenset(_COUNTRY_CODES.split())
_TAX_IDS = {
    "gstin": re.compile(r"[0-9]{2}[A-Z]{5}[0-9]{4}[A-Z][1-9A-Z]Z[0-9A-Z]\Z"),
    "pan": re.compile(r"[A-Z]{5}[0-9]{4}[A-Z]\Z"),
    "hsn_sac": re.compile(r"[0-9]{4,8}\Z"),
}


class Refusal(Exception):  # noqa: N818 - the server's, not an error of this code
    """A body that the server refuses."""

    def __init__(self, status: int, message: str, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details


def _max(length: int) -> Callable[[str], str]:
    return lambda text: "max" if len(text) > length else ""


def _email(text: str) -> str:
    return "" if _EMAIL.match(text) else "email"


def _country(text: str) -> str:
    if len(text) != 2:
        return "len"
    return "" if text in _COUNTRIES else "iso3166_1_alpha2"


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        return "timezone"
    return ""


# Field: its name in Go, and the tag of the rule that a text breaks.
_RULES: dict[str, tuple[str, Callable[[str], str]]] = {
    "external_id": ("ExternalID", lambda _text: ""),
    "name": ("Name", _max(255)),
    "email": ("Email", _email),
    "contact": ("Contact", _max(20)),
    "address_line1": ("AddressLine1", _max(255)),
    "address_line2": ("AddressLine2", _max(255)),
    "address_city": ("AddressCity", _max(100)),
    "address_state": ("AddressState", _max(100)),
    "address_postal_code": ("AddressPostalCode", _max(20)),
    "address_country": ("AddressCountry", _country),
    "timezone": ("Timezone", _zone),
}
_BYTES = {"address_line1": 255, "address_line2": 255, "address_city": 100, "address_state": 100}
_REQUIRED = ("external_id", "name")
_LONGEST_ID = 255


def check_body(body: bytes, request_name: str) -> Fields:
    """The known fields of a body, checked as the server checks them.

    Raises:
        Refusal: with the server's status, message and details.
    """
    given = _bound(body)
    creating = request_name.startswith("Create")
    details: dict[str, str] = {}
    for field, (name, rule) in _RULES.items():
        tag = _broken(field, given.get(field), rule, creating=creating)
        if tag:
            key = f"{request_name}.{name}"
            details[name] = f"Key: '{key}' Error:Field validation for '{name}' failed on the '{tag}' tag"
    if details:
        raise Refusal(400, "Request validation failed", details)
    _check_metadata(given.get("metadata") or {})
    _check_database(given, creating=creating)
    return given


def _bound(body: bytes) -> Fields:
    """The body as Go's decoder binds it: keys in any case, unknown ones dropped, null as if not sent."""
    try:
        value = load(body)
    except ValueError:
        raise Refusal(400, "Invalid request format") from None
    if not isinstance(value, dict | None):
        raise Refusal(400, "Invalid request format")
    lowered = {name.lower(): found for name, found in (value or {}).items() if found is not None}
    given = {name: found for name, found in lowered.items() if name in _RULES or name == "metadata"}
    if not all(_fits(name, found) for name, found in given.items()):
        raise Refusal(400, "Invalid request format")
    return given


def _fits(name: str, value: Any) -> bool:
    if name != "metadata":
        return isinstance(value, str)
    return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())


def _broken(field: str, text: str | None, rule: Callable[[str], str], *, creating: bool) -> str:
    if creating and not text:
        return "required" if field in _REQUIRED else ""
    # An update's field is a pointer: one to an empty text is not "empty", so the rule still runs.
    return "" if text is None else rule(text)


def _check_metadata(metadata: Mapping[str, str]) -> None:
    for key, pattern in _TAX_IDS.items():
        if metadata.get(key) and not pattern.match(metadata[key].strip().upper()):
            raise Refusal(400, f"Invalid {key} format")


def _check_database(given: Fields, *, creating: bool) -> None:
    """What only the database refuses, so that it comes out as a server error."""
    metadata = given.get("metadata") or {}
    texts = [text for text in (*given.values(), *metadata, *metadata.values()) if isinstance(text, str)]
    empty = not creating and any(given.get(name) == "" for name in _REQUIRED)
    if len(given.get("external_id", "")) > _LONGEST_ID or empty or any("\0" in text for text in texts):
        raise Refusal(500, f"Failed to {'create' if creating else 'update'} customer")
    # Lengths are counted once more, in bytes this time.
    if any(len(given.get(name, "").encode()) > most for name, most in _BYTES.items()):
        raise Refusal(400, "Invalid address information provided")


def created(blank: Fields, given: Fields) -> Fields:
    """A new customer with the given fields; metadata keys in the order in which Go writes a map."""
    fields = blank | given
    fields["timezone"] = fields["timezone"] or "UTC"
    return _with_ordered_metadata(fields)


def changed(old: Fields, given: Fields) -> Fields:
    """The customer after an update.

    Raises:
        PanicError: a new external id is noted in metadata that is null.
    """
    fields = old | {name: value for name, value in given.items() if name != "metadata"}
    if given.get("external_id", old["external_id"]) != old["external_id"]:
        if old["metadata"] is None:
            raise PanicError
        # The server means to keep the old ids and notes the new one.
        noted = [one for one in (old["metadata"].get("old_external_ids"), given["external_id"]) if one]
        fields["metadata"] = old["metadata"] | {"old_external_ids": ",".join(noted)}
    if "metadata" in given:
        fields["metadata"] = given["metadata"]
    return _with_ordered_metadata(fields)


def _with_ordered_metadata(fields: Fields) -> Fields:
    if isinstance(fields["metadata"], dict):
        fields["metadata"] = dict(sorted(fields["metadata"].items()))
    return fields
