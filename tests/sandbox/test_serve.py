"""`serve`: any function from a request to an answer, on a port of this machine."""

from __future__ import annotations

import subprocess
import sys
import threading

import httpx
import pytest

from unified_customers.adapter import Response
from unified_customers.sandbox import serve


def echo(request):
    words = [request.method, request.url, dict(request.headers).get("x-word"), request.body]
    return Response(status=201, headers={"x-said": "yes", "content-length": "1"}, body=repr(words).encode())


def test_the_function_gets_the_whole_request_and_its_answer_arrives_whole():
    """The address with its escapes, headers in lower case, the body; status, headers and body on the way back."""
    with serve(echo) as url:
        reply = httpx.post(f"{url}/a%2Fb?x=1&y=%20", headers={"X-Word": "w"}, content=b"body")
    assert (reply.status_code, reply.headers["x-said"]) == (201, "yes")
    assert reply.text == repr(["POST", f"{url}/a%2Fb?x=1&y=%20", "w", b"body"])


def test_a_request_without_a_body_has_none():
    """As the adapter's requests have it."""
    with serve(echo) as url:
        assert httpx.get(url).text == repr(["GET", f"{url}/", None, None])


def test_anything_with_status_headers_and_body_is_an_answer():
    """The sandbox does not ask for a class of the client's side."""

    class Own:
        status, headers, body = 204, {}, b""

    with serve(lambda _: Own) as url:
        assert httpx.get(url).status_code == 204


def test_what_the_function_raises_is_answered_with_500_and_told_at_the_end():
    """The first error is the cause; the answers after it still come."""

    def broken(request):
        raise KeyError(request.url.rpartition("/")[2])

    with pytest.raises(RuntimeError, match=r"raised KeyError on GET /one$") as told, serve(broken) as url:
        assert [httpx.get(f"{url}/{name}").status_code for name in ("one", "two")] == [500, 500]
    assert repr(told.value.__cause__) == "KeyError('one')"


def test_what_is_no_answer_is_told_too():
    """A function that forgot to return, for one."""
    with pytest.raises(RuntimeError, match="raised AttributeError on GET /"), serve(lambda _: None) as url:
        assert httpx.get(url).status_code == 500


def test_an_error_in_the_block_is_not_lost():
    """It is what is raised; that the function failed as well, which most likely caused it, stands in a note."""
    with pytest.raises(ZeroDivisionError), serve(echo):
        _ = 1 / 0
    with pytest.raises(httpx.HTTPStatusError) as told, serve(lambda _: None) as url:
        httpx.get(url).raise_for_status()
    assert "AttributeError" in told.value.__notes__[0]


def test_two_are_served_at_once_each_in_a_thread_of_its_own():
    """And nothing is left of either."""
    before = threading.active_count()
    with serve(echo) as one, serve(echo, port=0) as other:
        assert one != other
        assert httpx.get(one).status_code == httpx.get(other).status_code == 201
    assert threading.active_count() == before
    with pytest.raises(httpx.ConnectError):
        httpx.get(one)


def test_a_port_that_is_taken_is_an_os_error():
    """As for a sandbox."""
    with serve(echo) as url, pytest.raises(OSError, match="in use"), serve(echo, port=int(url.rpartition(":")[2])):
        pass


def test_without_the_extra_it_says_what_to_install():
    """The name alone can be imported without it."""
    code = (
        "import sys; sys.modules['uvicorn'] = None\n"
        "from unified_customers.sandbox import serve\n"
        "try:\n    serve(print).__enter__()\n"
        "except ModuleNotFoundError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == 'serve() needs uvicorn: pip install "unified-customers[sandbox]"'
