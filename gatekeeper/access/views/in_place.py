"""The answer to a reveal in place: the fields alone, which the page swaps in (static values.js)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.http import HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from gatekeeper import catalogue
from gatekeeper.frame import shown_values
from gatekeeper.gate import answers, sentences
from gatekeeper.serving.errors import RETRY_AFTER
from staff.session.decorators import refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest


def answer(
    request: HttpRequest, asked: Sequence[str], shown: answers.Reveal | answers.Refusal
) -> HttpResponse:
    """In: the fields that were asked for, and what the gate said. Out: what the page swaps in.

    A refusal is a sentence in the section; the page asks by itself whether its gate has closed. Where a
    factor has to be proved again, it leads to the page for that.
    """
    if isinstance(shown, answers.Refusal):
        return _refused(request, asked, shown)
    fields = [_field(name, shown) for name in catalogue.FIELDS if name in shown.values]
    labels = ", ".join(str(field["label"]) for field in fields)
    said = _("Shown for 30 seconds: %(fields)s.") % {"fields": labels}
    return _part(asked, fields=fields, said=said)


def copied(request: HttpRequest, field: str, fetched: answers.Reveal | answers.Refusal) -> HttpResponse:
    """In: the field, and what the gate said. Out: its text for the clipboard, or why there is none."""
    if not isinstance(fetched, answers.Refusal):
        lines = shown_values.lines(fetched.values.get(field, ""))
        return JsonResponse({"text": "\n".join(": ".join(filter(None, line)) for line in lines)})
    if fetched.reason == "mfa_stale":
        return refusal(request, fetched.reason)
    return _with_status(JsonResponse({"why": sentences.sentence(fetched.reason)}), fetched)


def _refused(request: HttpRequest, asked: Sequence[str], refused: answers.Refusal) -> HttpResponse:
    if refused.reason == "mfa_stale":
        return refusal(request, refused.reason)
    words = sentences.sentence(refused.reason)
    part = _part(asked, problem=words, said=words)
    return _with_status(part, refused)


def _with_status(answer: HttpResponse, refused: answers.Refusal) -> HttpResponse:
    answer.status_code = HTTPStatus.SERVICE_UNAVAILABLE if refused.away else HTTPStatus.FORBIDDEN
    if refused.away:
        answer["Retry-After"] = RETRY_AFTER
    return answer


def _part(asked: Sequence[str], **facts: object) -> HttpResponse:
    code = catalogue.category_of(asked[0]) if asked else ""
    context = {"code": code if code in dict(catalogue.CATEGORIES) else "", "in_place": True, **facts}
    return HttpResponse(render_to_string("gatekeeper/access/account/shown.html", context))


def _field(name: str, shown: answers.Reveal) -> dict[str, object]:
    return {
        "name": name,
        "label": catalogue.FIELDS[name],
        "filled": True,
        "revealed": True,
        "value": shown.values[name],
    }
