"""How the real Flexprice creates, updates and archives, slips included.

Knows what the replies to writes show and what is stored. Must not know routes or keys, nor how a body is
checked (`_flexprice_write`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._clock import round_to_microseconds, spell_microseconds, spell_nanoseconds
from ._flexprice_read import JSON, ReadableFlexprice
from ._flexprice_rows import blank
from ._flexprice_write import Refusal, changed, check_body, created
from ._json import dump_go
from ._wire import Reply, Request

if TYPE_CHECKING:
    from collections.abc import Mapping

_NEITHER = (
    "Provide id as query parameter (?id=...) or provide external_customer_id "
    "as query parameter (?external_customer_id=...)"
)


class WritableFlexprice(ReadableFlexprice):
    """The writing half of the real server."""

    def _create(self, request: Request) -> Reply:
        try:
            given = check_body(request.body, "CreateCustomerRequest")
            self._check_free(given.get("external_id"), {"external_id": given.get("external_id")})
        except Refusal as refusal:
            return self.problem(refusal.status, refusal.message, refusal.details)
        nanoseconds = self._clock.tick()
        micro = round_to_microseconds(nanoseconds)
        fields = created(blank("cust_" + self._ulids.next(nanoseconds), micro), given)
        row = self.stored(fields, micro)
        self._table.add(row)
        # The answer echoes what was in memory: nanoseconds. Later reads show what the database kept.
        echo = spell_nanoseconds(nanoseconds)
        return Reply(201, dump_go(row.fields | {"created_at": echo, "updated_at": echo}), JSON)

    def _check_free(self, external_id: Any, details: Mapping[str, Any], but: str = "") -> None:
        holder = self._published(str(external_id))
        if holder is not None and holder.id != but:
            raise Refusal(409, "A customer with this identifier already exists", details)

    def _update(self, request: Request) -> Reply:
        asked, external = request.first("id") or "", request.first("external_customer_id") or ""
        if not external:
            return self._update_row(request, asked) if asked else self.problem(400, _NEITHER)
        row = self._published(external)
        if row is None:
            return self._unknown_key(external)
        if asked not in {"", row.id}:
            return self.problem(400, "id and external_customer_id refer to different customers")
        return self._update_row(request, row.id)

    def _update_row(self, request: Request, id: str) -> Reply:
        try:
            given = check_body(request.body, "UpdateCustomerRequest")
            row = self._table.rows.get(id)
            if row is None:
                return self._unknown(id)
            fields = changed(row.fields, given)
            if row.group == "published":
                details = {name: fields.get(name) for name in ("external_id", "email")}
                self._check_free(fields.get("external_id"), details, but=id)
        except Refusal as refusal:
            return self.problem(refusal.status, refusal.message, refusal.details)
        now = spell_microseconds(round_to_microseconds(self._clock.tick()))
        self.store(fields | {"updated_at": now}, row)
        # The answer shows the old `updated_at`: it was changed in the database only.
        return Reply(200, dump_go(self.row_of(fields, row.moment).fields), JSON)

    def _archive(self, id: str) -> Reply:
        row = self._table.rows.get(id)
        if row is None:
            return self._unknown(id)
        if row.group != "published":
            return self.problem(404, "Customer does not exist")
        self.delete(id)
        return Reply(204)
