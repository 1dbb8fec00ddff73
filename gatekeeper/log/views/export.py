"""The matches of a question as a file, recorded before the first line leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import StreamingHttpResponse
from django.utils import timezone

from audit.explorer import finding, search
from gatekeeper.frame.converters import whole_number
from gatekeeper.log import files, reading, words
from gatekeeper.log.links import LogView
from gatekeeper.log.views.explorer import ACT, stopped
from staff.directory import people
from staff.frame.callers import Caller
from staff.session.decorators import post_only, refusal
from staff.session.members import member_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase


@post_only("entries")
def log_export(request: HttpRequest) -> HttpResponseBase:
    """The newest matches as a file: recorded with their number before the first line leaves."""
    caller, reader = Caller.of(request), member_of(request).number
    refused = people.authorize(caller, ACT)
    if refused:
        return refusal(request, refused)
    form, top = request.POST.get("form", ""), whole_number(request.POST.get("top"))
    query = _exported_query(request)
    if query is None or form not in files.FORMS or top is None:
        return refusal(request, "value_refused")
    try:
        numbers = finding.numbers(query, reader=reader, top=top)
    except finding.TooLongError:
        return stopped(request, LogView(query), reader)

    def taken() -> str:
        return reading.taking(caller.digest, caller.context, query, form=form, top=top, results=len(numbers))

    def may_go_on() -> bool:
        """Asked again while the file leaves; where it breaks off, that is an entry as well."""
        return not people.authorize(caller, ACT) or not taken()

    reason = taken()
    return (
        refusal(request, reason) if reason else _file(form, files.lines(form, numbers, may_go_on=may_go_on))
    )


def _exported_query(request: HttpRequest) -> search.Query | None:
    """The question whose matches are taken; None where it is not one."""
    try:
        return search.parse(request.POST.get("q", ""), words.words())
    except search.SearchError:
        return None


def _file(form: str, content: Iterator[bytes]) -> StreamingHttpResponse:
    name = f"log-{timezone.localdate().isoformat()}.{form}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(content, content_type=files.FORMS[form], headers=headers)
