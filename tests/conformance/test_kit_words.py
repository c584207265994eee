"""What the kit says where not the adapter but its set-up is at fault, and how it is put together."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from types import SimpleNamespace

import pytest
from shop import FakeShop, shop

from unified_customers import conformance


def kit(server) -> conformance.Conformance:
    """The kit over the shop's adapter and some server."""

    class Kit(conformance.Conformance):
        adapter = staticmethod(shop)

    Kit.server = staticmethod(server)
    return Kit()


def failure(server) -> str:
    """What a plain check says of that server."""
    with pytest.raises(AssertionError) as caught:
        kit(server).test_records_of_nulls_are_customers_with_an_id()
    return str(caught.value)


def test_a_server_with_another_number_of_records_is_told():
    """`server(n)` makes `n`."""
    assert "server(1) has to make a fake server with 1 records" in failure(lambda n: FakeShop(n + 1))


def test_a_server_without_records_is_told():
    """A function alone does not say who is there."""
    assert "by id in `.records`: it has 0" in failure(lambda n: SimpleNamespace())


def test_records_that_are_kept_under_another_id_are_told():
    """The kit finds records in answers by their ids."""

    def renamed(n):
        made = FakeShop(n)
        made.records = {f"key-{id_}": record for id_, record in made.records.items()}
        return made

    assert "has to hold, at its top, the id that it is kept under" in failure(renamed)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (lambda request: {"rows": []}, "your fake server returned dict, no Response, for POST https://provider"),
        (lambda request: 1 // 0, "your fake server raised ZeroDivisionError: "),
    ],
)
def test_a_server_that_fails_is_told_from_an_adapter_that_fails(answer, says):
    """An error in the author's fake is the fake's."""

    class Failing(FakeShop):
        def __call__(self, request):
            return answer(request)

    assert says in failure(Failing)


@pytest.mark.parametrize("name", ["adapter", "server"])
def test_what_is_missing_in_the_set_up_is_named(name):
    """One of the three lines was forgotten."""

    class Forgetful(conformance.Conformance):
        pass

    if name == "server":
        Forgetful.adapter = staticmethod(shop)
    with pytest.raises(AssertionError, match=f"Forgetful needs {name}="):
        Forgetful().test_every_customer_comes_once_whatever_the_size()


def test_plain_functions_serve_as_well():
    """Whoever forgets `staticmethod` gets no puzzle about a missing argument."""

    class Plain(conformance.Conformance):
        adapter = shop

        def server(n):  # noqa: N805 - a plain function on purpose
            return FakeShop(n)

    Plain().test_every_customer_comes_once_whatever_the_size()


def test_no_helper_of_one_room_hides_that_of_another():
    """All checks end up in one class, so a name that two rooms use would be a bug."""
    rooms = conformance.Conformance.__mro__[1:-2]
    names = Counter(name for room in rooms for name in vars(room) if not name.startswith("__"))
    assert [name for name, count in names.items() if count > 1] == []


def test_every_check_is_a_sentence():
    """Its name says what holds, and its docstring more."""
    for name in dir(conformance.Conformance):
        if name.startswith("test_"):
            assert len(name.split("_")) > 4, name
            assert (getattr(conformance.Conformance, name).__doc__ or "").strip().endswith("."), name


def test_without_pytest_the_import_says_what_to_install():
    """It is no dependency of the library."""
    code = "import sys; sys.modules['pytest'] = None; import unified_customers.conformance"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "unified_customers.conformance is a class of tests for pytest: pip install pytest" in done.stderr


def test_the_library_itself_loads_neither_pytest_nor_the_kit():
    """Whoever reads customers has no use for tests."""
    code = "import sys, unified_customers as uc; uc.Client, uc.providers(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"pytest", "unified_customers.conformance"} & set(done.stdout.split())
