"""Before a view: does the session still count, is it verified, in which language do we answer?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header

from staff import factors, presence, sessions
from staff.callers import Caller
from staff.members import put_member, sign_out
from staff.models import Member
from staff.redirects import to_page

GetResponse = Callable[[HttpRequest], HttpResponse]
View = Callable[..., HttpResponse]


class MemberMiddleware(AuthenticationMiddleware):
    """Put the session's member on the request, and say whether their second factor was proved."""

    def process_request(self, request: HttpRequest) -> None:
        put_member(request)


class SessionGuardMiddleware:
    """End sessions that count no more, answer for locked ones, judge the proofs that come with a form,
    and lead the half signed-in to their second factor.

    The server decides by route what is activity: a view marked `polling` touches nothing. The
    touch is a statement of its own, committed before the view: a row locked through `default`
    while the gate waits through `vault` would be a deadlock that PostgreSQL cannot see.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, _args: list[Any], _kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """The answer instead of the view's, or None to go on."""
        session = sessions.of(request)
        if session.locked is not None and getattr(view, "login_required", True):
            if not getattr(view, "while_locked", False):
                answer = presence.unlock(request, polling=getattr(view, "polling", False))
                if answer is not None:
                    return answer
            elif not presence.look_in(request):
                return self._farewell(request, view, sessions.ENDED)
        member = request.user
        reason = member.barred_because() if isinstance(member, Member) else session.ended_because
        if reason:
            return self._farewell(request, view, reason)
        if not isinstance(member, Member):
            return None  # LoginRequiredMiddleware has the next word
        if _proof_came(request):
            answer = presence.prove(request)
            if answer is not None:
                return answer
        # For `has_perm`: the answer is the session's, not the member's.
        member.caller = Caller.of(request)  # type: ignore[attr-defined]  # read by GateBackend
        if not getattr(view, "polling", False):
            session.touch()
        return None if _open_to(view, request) else _to_second_factor(request, member)

    @staticmethod
    def _farewell(request: HttpRequest, view: View, reason: str) -> HttpResponse | None:
        if request.user.is_authenticated:
            sign_out(request, reason)
        if not getattr(view, "login_required", True):
            return None
        return to_page(request, "sign_in", why=reason)


def _proof_came(request: HttpRequest) -> bool:
    """Whether a form was sent with the field for a proof; half a sign-in has none to renew."""
    if request.method != "POST" or not factors.is_verified(request):
        return False
    return presence.CODE in request.POST or presence.PAGE in request.POST


def _open_to(view: View, request: HttpRequest) -> bool:
    """Whether the view is open to this member: it is verified, or asks for no factor."""
    public = not getattr(view, "login_required", True)
    return public or bool(getattr(view, "before_factor", False)) or factors.is_verified(request)


def _to_second_factor(request: HttpRequest, member: Member) -> HttpResponse:
    return to_page(request, "sign_in_code" if factors.has_factor(member) else "enrol")


class LanguageMiddleware:
    """The member's language; a visitor's by `?lang=` or their browser. No cookie keeps it."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = _language_of(request)
        translation.activate(language)
        request.LANGUAGE_CODE = language
        response = self.get_response(request)
        response.headers.setdefault("Content-Language", translation.get_language() or language)
        patch_vary_headers(response, ("Accept-Language",))
        return response


def _language_of(request: HttpRequest) -> str:
    known = dict(settings.LANGUAGES)
    locked = sessions.of(request).locked
    if isinstance(request.user, Member):
        wishes = [request.user.language]
    elif locked is not None and locked.member is not None:
        wishes = [locked.member.language]
    else:
        accepted = parse_accept_lang_header(request.headers.get("Accept-Language", ""))
        wishes = [request.GET.get("lang", ""), *(code.partition("-")[0] for code, _ in accepted)]
    return next((wish for wish in wishes if wish in known), settings.LANGUAGE_CODE)
