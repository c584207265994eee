"""Record cassettes from the sandbox: `python tests/cassettes/from_sandbox.py`.

For what the real recording does not hold: FlexPortal, Flatpeak, and a Flexprice such as its public page describes.
The sandbox gives the same bytes for the same seed; host, port and `Date` are replaced or left out, so that recording
again gives the same files.

Knows the conversations, and how the sandbox is set up for each. Must not know what the answers should be read as.
"""

from __future__ import annotations

import attrs
from cassette_steps import Conversation, check, get, run_sync, walk
from cassette_tape import CASSETTES, recorder

import unified_customers as uc
from unified_customers.sandbox import Sandbox

SOURCE = "recorded from the sandbox, built from the documents"
TENANT, OTHER_TENANT = "bu_sandbox", "bu_other"
ABSENT = {"flexportal": "cust_none", "flatpeak": "cus_none"}

WRONG_KEY = {"api_key": "made-up-wrong-key"}

# Settings for replaying; a replayed provider needs no key, so any will do.
ACCOUNTS = {
    "flexportal": (
        uc.FlexPortal,
        {"api_key": "made-up-key", "tenant_id": TENANT, "base_url": "https://flexportal.test"},
    ),
    "flexprice": (uc.Flexprice, {"api_key": "made-up-key", "base_url": "https://flexprice.test"}),
    "flatpeak": (
        uc.Flatpeak,
        {"account_id": "acc_65e421bed29d88d9012e0662", "api_key": "made-up-key", "base_url": "https://flatpeak.test"},
    ),
}


@attrs.frozen
class Setup:
    """How the sandbox starts for a conversation."""

    customers: int = 7
    flavour: str = "documents"
    faults: tuple[str, ...] = ()
    second_tenant: bool = False


def _sandbox(name, *steps, **setup):
    return Conversation(name, steps, before={"setup": Setup(**setup)})


def _nth(step, place):
    """The id of the customer at that place of an earlier step's result."""
    return lambda results: results[step][place].id


CONVERSATIONS = (
    _sandbox("flexportal/list_three_pages", walk(page_size=3)),
    _sandbox("flexportal/list_page_that_just_fits", walk(page_size=3), customers=3),
    _sandbox("flexportal/list_empty", walk(), customers=0),
    _sandbox(
        "flexportal/filters",
        walk(status="active"),
        walk(status="inactive"),
        walk(kind="business"),
        walk(email="customer+3@example.net"),
        walk(params={"hasActiveRentals": False}),
        walk(status="active", kind="individual", params={"hasActiveRentals": True}),
        customers=12,
    ),
    _sandbox("flexportal/sorted_by_revenue", walk(sort="monthly_revenue", order="desc", page_size=4)),
    _sandbox("flexportal/get_with_profitability", walk(max_items=2, page_size=2), get(_nth(0, 0)), get(_nth(0, 1))),
    _sandbox("flexportal/get_unknown_id", get(ABSENT["flexportal"])),
    _sandbox("flexportal/key_refused", walk(WRONG_KEY)),
    _sandbox("flexportal/tenant_denied", walk({"tenant_id": OTHER_TENANT})),
    _sandbox("flexportal/two_tenants", walk(), walk({"tenant_id": OTHER_TENANT}), customers=2, second_tenant=True),
    _sandbox("flexportal/throttled_then_served", walk(page_size=2), customers=3, faults=("flexportal:429:after=1",)),
    _sandbox("flatpeak/sign_in_and_list_three_pages", walk(page_size=3)),
    _sandbox("flatpeak/list_backwards", walk(page_size=3), walk(page_size=3, before=_nth(0, -1))),
    _sandbox("flatpeak/list_empty", walk(), customers=0),
    _sandbox("flatpeak/token_refused_once", walk(page_size=3), faults=("flatpeak:token-expires-early:uses=2",)),
    _sandbox("flatpeak/credentials_refused", walk(WRONG_KEY)),
    _sandbox("flatpeak/get", walk(page_size=2, max_items=2), get(_nth(0, 0)), get(_nth(0, 1))),
    _sandbox("flatpeak/get_unknown_id", get(ABSENT["flatpeak"])),
    _sandbox(
        "flatpeak/by_reference_id",
        walk(external_id="CUS0000000003"),
        get(external_id="CUS0000000003"),
        walk(external_id="nobody's"),
        get(external_id="nobody's"),
    ),
    _sandbox("flatpeak/throttled_then_served", walk(), customers=2, faults=("flatpeak:429:retry_after=3:times=2",)),
    _sandbox("flexprice/documents_offset_walk", walk(page_size=3)),
    _sandbox(
        "flexprice/documents_comma_ids",
        walk(max_items=3, page_size=3),
        walk(ids=lambda results: [customer.id for customer in results[0][1:]]),
        walk(external_id=lambda results: [customer.external_id for customer in results[0][:2]]),
    ),
    _sandbox("flexprice/documents_get_unknown_id", get("cust_none")),
    _sandbox("flexprice/documents_key_refused", walk(WRONG_KEY)),
    _sandbox("flexprice/documents_check", check(), customers=2),
    _sandbox("flexprice/sandbox_keyset_walk", walk(page_size=3), flavour="real"),
    _sandbox("flexprice/sandbox_throttled_then_served", walk(), customers=2, flavour="real", faults=("flexprice:429",)),
)


def setup_of(conversation):
    """How the sandbox starts for it."""
    return conversation.before["setup"]


def provider_of(conversation):
    """Its name."""
    return conversation.name.partition("/")[0]


def replayed_account(conversation):
    """Settings for playing it."""
    settings_class, usual = ACCOUNTS[provider_of(conversation)]
    return lambda **settings: settings_class(**{**usual, **settings})


def comment_of(conversation):
    """What a reader of the file should know."""
    setup = setup_of(conversation)
    if provider_of(conversation) == "flexprice" and setup.flavour == "real":
        source = "recorded from the sandbox, built from the recording of a real server"
    else:
        source = SOURCE
    how = f"customers={setup.customers}" + "".join(f", fault {text}" for text in setup.faults)
    return (
        f"{source}\n{how}; the customers are made up.\n"
        "The host is made up; Date is left out. Written by tests/cassettes/from_sandbox.py; do not edit."
    )


def path_of(conversation, folder=CASSETTES):
    """Where it lies."""
    return folder / f"{conversation.name}.yaml"


def record(conversation, folder=CASSETTES):
    """Hold the conversation with a new sandbox and write it down."""
    setup, name = setup_of(conversation), provider_of(conversation)
    path = path_of(conversation, folder)
    path.unlink(missing_ok=True)
    with Sandbox(setup.customers, flexprice=setup.flavour, faults=setup.faults) as box, Sandbox(customers=0) as second:
        provider = getattr(box, name)
        hosts = [(provider.base_url, f"https://{name}.test")]
        if setup.second_tenant:
            _fill_other_tenant(second)
            hosts.append((second.flexportal.base_url, f"https://{name}.test"))
        tape = recorder(comment=comment_of(conversation), hosts=hosts, gone=[provider.api_key], without=["date"])
        with tape.use_cassette(str(path), record_mode="once", allow_playback_repeats=False):
            run_sync(conversation, _account(provider, second if setup.second_tenant else None))
    return path


def _account(provider, second):
    settings_class, _ = ACCOUNTS[provider.name]

    def account(**settings):
        there = {}
        if second is not None and settings.get("tenant_id") == OTHER_TENANT:
            there = second.flexportal.settings
        return settings_class(**{**provider.settings, **settings, **there})

    return account


def _fill_other_tenant(box):
    box.flexportal.tenant_id = OTHER_TENANT
    box.flexportal.insert(1, email="other@example.org")


def main():
    """Record them all."""
    for conversation in CONVERSATIONS:
        print(record(conversation))


if __name__ == "__main__":
    main()
