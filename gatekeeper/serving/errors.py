"""What is answered when something went wrong: a page of ours in the reader's language, JSON to machines."""

from __future__ import annotations

import sys
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override
from psycopg.errors import DiskFull

from gatekeeper.gate import decision
from staff.session.middleware import language_of_visitor

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseNotAllowed
    from django.utils.functional import Promise

#: When to ask again while the database is away, in seconds: what a restart takes.
RETRY_AFTER: Final = "10"
#: The address under which machines ask.
MACHINES: Final = "/api/"

#: Title and sentence of each page.
PAGES: Final = {
    HTTPStatus.BAD_REQUEST: (
        _("The request could not be read"),
        _("Something in it is wrong. Go back, reload the page and try again."),
    ),
    HTTPStatus.FORBIDDEN: (
        _("You don’t have permission"),
        _("You do not have permission to view this page."),
    ),
    HTTPStatus.NOT_FOUND: (
        _("There is no such page"),
        _("Check the address, or type an account or ticket number above."),
    ),
    HTTPStatus.METHOD_NOT_ALLOWED: (
        _("This cannot be done here"),
        _("The address takes another kind of request. Nothing was done."),
    ),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
        _("That was too much at once"),
        _("What you sent is larger than this page takes. Nothing was done: go back and send less."),
    ),
    HTTPStatus.INTERNAL_SERVER_ERROR: (
        _("Something went wrong"),
        _("Nothing was shown. Try again in a minute; if the problem remains, tell an administrator."),
    ),
    HTTPStatus.SERVICE_UNAVAILABLE: (
        _("The database does not answer"),
        _(
            "Nothing is shown without it, and what you sent just now was probably not done: look before you"
            " send it again. It is usually back within a minute."
        ),
    ),
}
#: In place of the last, where the database is there and refuses to write (SQLSTATE 53100, disk_full).
FULL: Final = (
    _("The database cannot store anything"),
    _(
        "The disk of its machine is full. Nothing can be recorded, so nothing is shown or done. It does not"
        " come back by itself: tell an administrator, who has to make room on it."
    ),
)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """A host that is not ours, a form that cannot be read; 413 where it is too large."""
    too_large = isinstance(exception, RequestDataTooBig)
    return _answer(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE if too_large else HTTPStatus.BAD_REQUEST)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Not this member's, within the frame of their pages."""
    return _answer(request, HTTPStatus.FORBIDDEN, framed=True)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """No such page, within the frame of the reader's pages."""
    return _answer(request, HTTPStatus.NOT_FOUND, framed=True)


def not_allowed(request: HttpRequest, response: HttpResponseNotAllowed) -> HttpResponse:
    """Another method than those of the view, in place of Django's empty answer."""
    answer = _answer(request, HTTPStatus.METHOD_NOT_ALLOWED, framed=True)
    answer["Allow"] = response["Allow"]
    return answer


def server_error(request: HttpRequest) -> HttpResponse:
    """Whatever a view did not expect. What fails for the database's sake says when to ask again."""
    error = sys.exc_info()[1]
    if isinstance(error, decision.AWAY):
        return unavailable(request, full=getattr(error.__cause__, "sqlstate", None) == DiskFull.sqlstate)
    return _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR)


def unavailable(request: HttpRequest, *, full: bool = False) -> HttpResponse:
    """The database is away, or could not do it now; a page that was only looked at asks again by itself."""
    words = FULL if full else PAGES[HTTPStatus.SERVICE_UNAVAILABLE]
    answer = _answer(request, HTTPStatus.SERVICE_UNAVAILABLE, words)
    answer["Retry-After"] = RETRY_AFTER
    if request.method == "GET":
        answer["Refresh"] = RETRY_AFTER
    return answer


def _answer(
    request: HttpRequest,
    status: HTTPStatus,
    said: tuple[Promise, Promise] | None = None,
    *,
    framed: bool = False,
) -> HttpResponse:
    """`framed`: with the member's bar and menu, for which the database is asked."""
    if request.path.startswith(MACHINES) or request.content_type == "application/json":
        return JsonResponse({"reason": status.phrase.lower()}, status=status)
    language = getattr(request, "LANGUAGE_CODE", None) or language_of_visitor(request)
    with override(language):
        title, words = said or PAGES[status]
        page = render_to_string(
            "gatekeeper/serving/wrong.html", {"title": title, "words": words}, request if framed else None
        )
    headers = {"Content-Language": language, "Cache-Control": "no-store"}
    return HttpResponse(page, status=status, headers=headers)
