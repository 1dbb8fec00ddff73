"""Before a view: does the session still count, is it verified, in which language do we answer?"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header

from audit.context import context
from staff.frame.callers import Caller
from staff.frame.redirects import here, to_page
from staff.models import Member
from staff.models.members import BARRED
from staff.session import endings, resending, sessions, step_up
from staff.session.members import put_member, sign_out
from staff.sign_in import factors

GetResponse = Callable[[HttpRequest], HttpResponse]
View = Callable[..., HttpResponse]


class SessionCookieMiddleware(SessionMiddleware):
    """Set the cookie when the session has a new key, and drop it when its member signs out; never else.
    What pages noted is stored here, once.

    Answers overtake each other: one that only repeated its own key, or dropped a key that is not known
    any more, would put an older key, or none, in the place of the newer one that the browser has by now.
    """

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        sessions.of(request).context = partial(context, request)

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        session, name = sessions.of(request), settings.SESSION_COOKIE_NAME
        try:
            response = super().process_response(request, response)
        except SessionInterrupted:  # it ended while the view was at work
            return to_page(request, "sign_in", why=endings.ENDED)
        session.save_notes()
        gone = session.session_key is None
        if session.session_key == request.COOKIES.get(name) or (gone and not session.left):
            response.cookies.pop(name, None)
        return response


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
        if session.outdated and not _answers_old_key(request, view):
            return resending.renewed(request)
        answer = self._for_locked(request, view)
        if answer is not None:
            return answer
        member = request.user
        reason = member.barred_because() if isinstance(member, Member) else session.ended_because
        if reason:
            return self._farewell(request, view, reason)
        if not isinstance(member, Member):
            public = not getattr(view, "login_required", True)
            return None if public else resending.signed_out(request)  # or LoginRequiredMiddleware's word
        if _proof_came(request):
            answer = step_up.prove(request)
            if answer is not None:
                return answer
        # For `has_perm`: the answer is the session's, not the member's.
        member.caller = Caller.of(request)  # type: ignore[attr-defined]  # read by GateBackend
        if not getattr(view, "polling", False):
            session.touch()
        return None if _open_to(view, request) else _to_second_factor(request, member)

    def _for_locked(self, request: HttpRequest, view: View) -> HttpResponse | None:
        if sessions.of(request).locked is None or not getattr(view, "login_required", True):
            return None
        if not getattr(view, "while_locked", False):
            return step_up.unlock(request, polling=getattr(view, "polling", False))
        return None if step_up.load_locked_session(request) else self._farewell(request, view, endings.ENDED)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A view that found its session ended, or its key renewed by another request, has done nothing."""
        if not isinstance(error, UpdateError):
            return None
        return HttpResponseRedirect(here(request) or "/")

    @staticmethod
    def _farewell(request: HttpRequest, view: View, reason: str) -> HttpResponse | None:
        if request.user.is_authenticated:
            sign_out(request, reason)
        if not getattr(view, "login_required", True):
            return None
        # Nobody signs in who is barred: what they sent waits for nothing.
        kept = None if reason in BARRED else resending.signed_out(request)
        return kept or to_page(request, "sign_in", why=reason)


def _answers_old_key(request: HttpRequest, view: View) -> bool:
    """Whether a request with the key before the session's is answered as usual.

    What asks by itself may look, a visitor's page shows nothing of the session, and signing out closes.
    """
    if getattr(view, "polling", False) or getattr(view, "closing", False):
        return True
    return not getattr(view, "login_required", True) and request.method in ("GET", "HEAD")


def _proof_came(request: HttpRequest) -> bool:
    """Whether a form was sent with the field for a proof; half a sign-in has none to renew."""
    if request.method != "POST" or not factors.is_verified(request):
        return False
    return step_up.CODE in request.POST or step_up.PAGE in request.POST


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
    locked = sessions.of(request).locked
    member = request.user if isinstance(request.user, Member) else locked and locked.member
    if member and member.language in dict(settings.LANGUAGES):
        return member.language
    return settings.LANGUAGE_CODE if member else language_of_visitor(request)


def language_of_visitor(request: HttpRequest) -> str:
    """The language of somebody of whom nothing is known: by `?lang=`, or their browser's."""
    known = dict(settings.LANGUAGES)
    accepted = parse_accept_lang_header(request.headers.get("Accept-Language", ""))
    wanted = [request.GET.get("lang", ""), *(tag.partition("-")[0] for tag, _ in accepted)]
    return next((code for code in wanted if code in known), settings.LANGUAGE_CODE)
