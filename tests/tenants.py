"""Many FlexPortal tenants at one address, told apart by their header as the real ones are."""

from __future__ import annotations

from fakes import FakeFlexPortal, Person

import unified_customers as uc


class Tenants:
    """A function to serve: which tenant is asked stands in each request's header.

    Args:
        sizes: How many customers each tenant has.
    """

    def __init__(self, sizes: dict[str, int]):
        self.sizes = sizes
        self.servers = {
            name: FakeFlexPortal([Person(id=f"{name}-{n}", at=n) for n in range(size)]) for name, size in sizes.items()
        }
        self.asked: list[str] = []
        self.cookies: list[str] = []

    def __call__(self, request):
        headers = dict(request.headers)
        name = headers["tenant-id"]
        assert headers["authorization"] == f"Bearer key-of-{name}"
        self.asked.append(name)
        self.cookies += [headers["cookie"]] if "cookie" in headers else []
        answer = self.servers[name](request)
        return type(answer)(
            status=answer.status, headers={**answer.headers, "set-cookie": f"session={name}; Path=/"}, body=answer.body
        )

    def accounts(self, url: str, names=None) -> dict[str, uc.FlexPortal]:
        """Settings for each tenant, by its name."""
        return {
            name: uc.FlexPortal(api_key=f"key-of-{name}", tenant_id=name, base_url=url)
            for name in (self.sizes if names is None else names)
        }

    @property
    def truth(self) -> list[str]:
        """Every customer's id."""
        return sorted(f"{name}-{n}" for name, size in self.sizes.items() for n in range(size))
