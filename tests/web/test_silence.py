"""What the process says of an error, and what it believes of a proxy."""

from __future__ import annotations

import logging
import sys

import pytest
from django.core.exceptions import (
    DisallowedHost,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
)
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory, override_settings
from django.views.debug import get_exception_reporter_class, get_exception_reporter_filter

from gatekeeper.serving.middleware import NoStoreMiddleware, TrustedProxyMiddleware
from gatekeeper.serving.redaction import RedactingFormatter, RedactingReporter

CANARY = "canary@customer.test"


def fail(value: str) -> None:
    try:
        raise KeyError(value)
    except KeyError as error:
        raise ValueError(f"broken by {value}") from error


def failed() -> BaseException:
    with pytest.raises(ValueError, match="broken") as caught:
        fail(CANARY)
    return caught.value


def record(message: str, error: BaseException | None = None) -> str:
    info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord("name", logging.ERROR, __file__, 1, message, None, info)
    return RedactingFormatter().format(made)


def test_an_error_is_logged_by_class_and_place_alone() -> None:
    line = record("Internal Server Error: /accounts/", failed())
    assert CANARY not in line
    assert "builtins.ValueError" in line
    assert "builtins.KeyError" in line
    assert " fail" in line


@pytest.mark.parametrize("kind", [RequestDataTooBig, TooManyFieldsSent, DisallowedHost])
def test_what_a_stranger_sends_fills_no_log(kind: type[SuspiciousOperation]) -> None:
    line = record("Request body exceeded the setting", kind(CANARY))
    assert CANARY not in line
    assert len(line.splitlines()) == 1


@pytest.mark.parametrize("forged", ["\n2026 INFO forged", "\r", "\x1b[2K", "\u202e", "\u2028", "\x00"])
def test_no_line_is_forged(forged: str) -> None:
    line = record(f"signed in: {forged}")
    assert forged[0] not in line
    assert len(line.splitlines()) == 1


def test_an_error_report_drops_request_message_and_variables() -> None:
    request = RequestFactory().post(f"/?q={CANARY}", {"name": CANARY}, headers={"x-name": CANARY})
    request.COOKIES["name"] = CANARY
    error = failed()
    assert get_exception_reporter_class(request) is RedactingReporter  # type: ignore[comparison-overlap]
    reporter = RedactingReporter(request, type(error), error, error.__traceback__)
    assert CANARY not in reporter.get_traceback_text()
    assert CANARY not in reporter.get_traceback_html()
    silent = get_exception_reporter_filter(request)
    assert silent.get_post_parameters(request) == {}
    assert list(silent.get_traceback_frame_variables(request, sys._getframe())) == []


def through(meta: dict[str, str]) -> HttpRequest:
    """Send a request with this META through the middleware and return what came out behind it."""
    request = RequestFactory().get("/", **meta)  # type: ignore[arg-type]  # META beside the headers
    TrustedProxyMiddleware(lambda _: HttpResponse())(request)
    return request


FORGED = {
    "HTTP_X_FORWARDED_FOR": "203.0.113.9",
    "HTTP_X_FORWARDED_PROTO": "https",
    "HTTP_X_FORWARDED_HOST": "evil.test",
}


@override_settings(TRUSTED_PROXIES=["10.0.0.0/8"])
def test_a_stranger_is_not_believed() -> None:
    request = through({"REMOTE_ADDR": "198.51.100.7", **FORGED})
    assert request.META["REMOTE_ADDR"] == "198.51.100.7"
    assert not request.is_secure()
    assert "HTTP_X_FORWARDED_HOST" not in request.META


@override_settings(TRUSTED_PROXIES=["10.0.0.0/8"])
@pytest.mark.parametrize(
    ("chain", "believed"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("1.1.1.1, 203.0.113.9", "203.0.113.9"),  # the client wrote the first
        ("1.1.1.1, 203.0.113.9, 10.1.1.1", "203.0.113.9"),
        ("1.1.1.1, nonsense", ""),
        ("", ""),
    ],
)
def test_of_a_proxy_the_last_address_counts(chain: str, believed: str) -> None:
    request = through(
        {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": chain, "HTTP_X_FORWARDED_PROTO": "https"}
    )
    assert request.META["REMOTE_ADDR"] == believed
    assert request.is_secure()


def test_no_page_is_stored() -> None:
    response = NoStoreMiddleware(lambda _: HttpResponse())(RequestFactory().get("/"))
    assert response["Cache-Control"] == "no-store"
