"""A form that was answered with a page is not done a second time when that page is loaded again.

Scripts give such a page the address of what it shows. Without them the browser sends the form once more:
then it has the same token, which is another on every page, and the same fields. The session keeps the
digests of the last such forms. What a script asks for is a part of a page, and never loaded again.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from staff.session import sessions

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

KEY: Final = "answered"
#: How many are kept; who loads an older page again has done much else since.
KEPT: Final = 20


def was_answered(request: HttpRequest) -> bool:
    """Whether this very form was answered with a page before."""
    return _mark(request) in (sessions.of(request).note(KEY) or ())


def note(request: HttpRequest, response: HttpResponseBase) -> None:
    """Remember the form if it was answered with a page: a redirect, a file and a refusal are none."""
    mark = _mark(request)
    is_page = (
        response.get("Content-Type", "").startswith("text/html") and "Content-Disposition" not in response
    )
    if mark and is_page and response.status_code == 200:
        noted = sessions.of(request).note(KEY) or ()
        sessions.of(request).put_note(KEY, [*noted, mark][-KEPT:])


def _mark(request: HttpRequest) -> str:
    if "HX-Request" in request.headers or "csrfmiddlewaretoken" not in request.POST:
        return ""  # without a token a proof came with it, which is good for one time alone
    form = urlencode(sorted(request.POST.lists()), doseq=True)
    return hashlib.sha256(f"{request.path}\n{form}".encode()).hexdigest()[:32]
