"""Each provider's errors and sign-in answers, in the shapes that its documents and the real server have."""

from __future__ import annotations

import pytest
from fakes import ONCE, Account, flatpeak, flexportal, flexprice, reply

import unified_customers as uc

ADAPTERS = {
    "flexportal": flexportal,
    "flexprice": flexprice,
    "flatpeak": lambda: flatpeak(account_id=None, api_key=None, bearer_token="t"),
}

# Errors: the shapes that the provider files list, with the words that users are told


@pytest.mark.parametrize(
    ("name", "status", "body", "cls", "code", "says"),
    [
        (
            "flexportal",
            401,
            {"error": {"code": "INVALID_TOKEN", "message": "bad key"}},
            uc.AuthenticationError,
            "INVALID_TOKEN",
            "FLEXPORTAL_API_KEY",
        ),
        (
            "flexportal",
            403,
            {"error": {"code": "NO_TENANT_ACCESS", "message": "m"}},
            uc.PermissionDeniedError,
            "NO_TENANT_ACCESS",
            "FLEXPORTAL_TENANT_ID",
        ),
        ("flexportal", 404, {"error": {"code": "NOT_FOUND", "message": "gone"}}, uc.NotFoundError, "NOT_FOUND", "gone"),
        (
            "flexportal",
            422,
            {"error": {"code": "VALIDATION_ERROR", "message": "m", "details": [{"path": "limit"}]}},
            uc.InvalidRequestError,
            "VALIDATION_ERROR",
            "m",
        ),
        ("flexportal", 429, {"error": {"message": "slow"}}, uc.RateLimitedError, None, "slow down"),
        ("flexportal", 500, b"<html>", uc.ServerError, None, "500"),
        ("flexprice", 401, {"error": "Invalid token"}, uc.AuthenticationError, None, "Invalid token"),
        (
            "flexprice",
            403,
            {"error": "Access denied", "message": "Invalid or inaccessible environment"},
            uc.PermissionDeniedError,
            None,
            "environment",
        ),
        (
            "flexprice",
            403,
            {"message": "insufficient permissions"},
            uc.PermissionDeniedError,
            None,
            "insufficient permissions",
        ),
        (
            "flexprice",
            400,
            {
                "code": "validation_error",
                "message": "Invalid filter parameters",
                "http_status_code": 400,
                "details": {"limit": "must be between 1 and 1000"},
            },
            uc.InvalidRequestError,
            "validation_error",
            "Invalid filter parameters",
        ),
        (
            "flexprice",
            400,
            {"success": False, "error": {"message": "Old shape", "internal_error": "x"}},
            uc.InvalidRequestError,
            None,
            "Old shape",
        ),
        (
            "flexprice",
            409,
            {
                "code": "already_exists",
                "message": "A customer with this identifier already exists",
                "http_status_code": 409,
            },
            uc.ConflictError,
            "already_exists",
            "already exists",
        ),
        ("flexprice", 404, b"404 page not found", uc.NotFoundError, None, "404"),
        ("flexprice", 500, b"", uc.ServerError, None, "500"),
        (
            "flexprice",
            503,
            {"code": "service_unavailable", "message": "later"},
            uc.ServerError,
            "service_unavailable",
            "later",
        ),
        ("flatpeak", 403, {"message": "Bad credentials"}, uc.AuthenticationError, None, "FLATPEAK_API_KEY"),
        (
            "flatpeak",
            403,
            {"object": "error", "type": "invalid_request", "code": "access_denied"},
            uc.AuthenticationError,
            "access_denied",
            "access_denied",
        ),
        ("flatpeak", 404, {"message": "Not Found"}, uc.NotFoundError, None, "Not Found"),
        (
            "flatpeak",
            422,
            {"object": "error", "type": "api_error", "code": "account_disabled", "message": "m"},
            uc.InvalidRequestError,
            "account_disabled",
            "m",
        ),
        (
            "flatpeak",
            429,
            {
                "object": "error",
                "type": "rate_limit",
                "code": "too_many_requests",
                "message": "Too many requests. Please retry after a short delay.",
            },
            uc.RateLimitedError,
            "too_many_requests",
            "Too many requests",
        ),
        ("flatpeak", 500, {"message": "Internal Server Error"}, uc.ServerError, None, "Internal Server Error"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_errors_in_every_shape(name, status, body, cls, code, says):
    """The status chooses the class, the body explains, and the message says what to do."""
    account = Account(ADAPTERS[name](), lambda _: reply(status, body, x_request_id="req_1"), ONCE)
    with pytest.raises(cls, match=says) as caught:
        list(account.customers())
    error = caught.value
    assert type(error) is cls
    assert (error.status, error.code, error.provider, error.request_id) == (status, code, name, "req_1")
    assert str(error).startswith({"flexportal": "FlexPortal", "flexprice": "Flexprice", "flatpeak": "Flatpeak"}[name])
    if isinstance(body, dict) and "details" in body:
        assert error.details == body["details"]


@pytest.mark.parametrize(
    ("body", "token"),
    [
        ({"bearer_token": "a", "expires_in": 3600, "live_mode": True}, "a"),
        ({"bearer_token": "a", "expires_in": 3600}, "a"),
        ({"token": "b"}, "b"),
        ({"bearer": "c", "expires_in": "3600"}, "c"),
        ({"bearer_token": "a", "token": "b", "bearer": "c", "expires_in": None}, "a"),
        ({"bearer_token": "", "token": "b", "expires_in": -5}, "b"),
    ],
    ids=str,
)
def test_flatpeak_tokens_in_every_spelling(body, token):
    """`bearer_token`, `token` or `bearer`; with a lifetime or none."""
    seen = []

    def server(request):
        seen.append(dict(request.headers)["authorization"])
        return reply(200, body if request.url.endswith("/login") else {"data": [], "has_more": False})

    assert list(Account(flatpeak(), server, ONCE).customers()) == []
    assert seen == ["Basic YWNjXzE6c2tfdGVzdF8x", f"Bearer {token}"]


@pytest.mark.parametrize(
    "body", [{}, {"bearer_token": None}, {"bearer_token": 7}, {"bearer_token": "a\nb"}, {"token": "ключ"}, [], None]
)
def test_a_sign_in_without_a_token(body):
    """Said so, not sent on."""

    def server(request):
        assert request.url.endswith("/login")
        return reply(200, body)

    with pytest.raises(uc.MalformedResponseError):
        list(Account(flatpeak(), server, ONCE).customers())
