"""Step-up in the middle of something, so that nothing typed is lost.

An act that needs a fresher proof is answered with a page that carries what was posted along, as hidden
fields: in that page, and nowhere else. The proof comes back to the same address with the same fields;
`SessionGuardMiddleware` asks here before the view, and the view does the act at once. A locked session
is answered at every address in the same way, and resumed (ASVS 7.3.1, 7.5.3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from django.contrib import auth
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from staff.frame.redirects import FROM, here, to_page
from staff.models import Member
from staff.session import sessions
from staff.session.members import member_of, put_member
from staff.sign_in import factors, hash_queue, lockout, records, verification

if TYPE_CHECKING:
    from django.http.request import _ImmutableQueryDict

#: Fields of our own among the posted ones. None of them is ever carried, or seen by a view.
CODE: Final = "_code"
PASSWORD: Final = "_password"  # noqa: S105 - a field's name
PAGE: Final = "_page"  # there: the page was asked for, nothing was posted
OURS: Final = frozenset({CODE, PASSWORD, PAGE, FROM, "csrfmiddlewaretoken"})


def ask(request: HttpRequest, *, problem: str = "") -> HttpResponse:
    """The step-up page: what was posted goes along; what was asked for by GET is come back to."""
    if request.method != "POST" or "HX-Request" in request.headers:
        return to_page(request, "step_up")
    if not problem and getattr(request, "proof_missing", False):
        problem = _("Enter the code, or use the passkey.")
    return render(request, "staff/session/step_up.html", _carrying(request, problem), status=403)


def prove(request: HttpRequest) -> HttpResponse | None:
    """Judge a proof that came with a form; None to go on to the view, without fields of ours.

    An empty code proves nothing and is no attempt: the view, or the database, asks again.
    """
    code = request.POST.get(CODE, "").strip()
    if code and not _accepted(request, code, "step-up"):
        return ask(request, problem=_wrong_code(member_of(request), code))
    request.proof_missing = not code  # type: ignore[attr-defined]  # read by `ask`
    return _go_on(request)


def load_locked_session(request: HttpRequest) -> bool:
    """Let this request see a locked session: its member, and what a ceremony left in it.

    False where the member may not come back: the password was changed, say.
    """
    sessions.of(request).wake()
    put_member(request)
    return isinstance(request.user, Member)


def unlock(request: HttpRequest, *, polling: bool) -> HttpResponse | None:
    """Answer for a locked session; None when it was resumed and the view may answer.

    Password and code resume it, of the member whose it is; a passkey does so by a ceremony of its own.
    """
    if polling or "HX-Request" in request.headers:
        # The page decides: what is typed in it must not go with a reload.
        return HttpResponse(status=403, headers={"HX-Trigger": "session-locked", "HX-Reswap": "none"})
    problem = ""
    if request.method == "POST" and (PASSWORD in request.POST or CODE in request.POST):
        try:
            problem = _unlocked(request)
        except hash_queue.BusyError:
            return hash_queue.refuse(locked_page(request, hash_queue.words()))
        if not problem:
            return _go_on(request)
    return lockout.answer(request, locked_page(request, problem))


def locked_page(request: HttpRequest, problem: str = "") -> HttpResponse:
    """What every address shows of a locked session: no data, and the way back to this very page."""
    row = sessions.of(request).locked
    member = row.member if row else None
    facts = _carrying(request, problem) | {"member": member, "theme": member.theme if member else "auto"}
    return render(request, "staff/session/locked.html", facts, status=403)


def _unlocked(request: HttpRequest) -> str:
    """Why it stays locked; an empty reason when it is resumed. Raises BusyError."""
    row = sessions.of(request).locked
    member = row.member if row else None
    password, code = request.POST.get(PASSWORD, ""), request.POST.get(CODE, "").strip()
    if member is None or not password or not code:
        return _("Enter the password and the code, or use the passkey.")
    with hash_queue.MEMBERS.take(member.pk):
        found = auth.authenticate(request, email=member.email, password=password)
    if lockout.is_locked(request):
        return lockout.words(request)
    if found != member:
        records.sign_in_failed("unlock", "password_wrong")
        return _("The password or the code is wrong.")
    if not load_locked_session(request) or not _accepted(request, code, "unlock"):
        request.user = AnonymousUser()
        wait = factors.seconds_to_wait(member, code)
        return _("The password or the code is wrong.") + _waiting(wait)
    return ""


def _accepted(request: HttpRequest, code: str, stage: records.Stage) -> bool:
    """Whether the code is the member's; then the session has a fresh proof, and a new key."""
    device = factors.prove(request, code)
    if device is None:
        throttled = factors.seconds_to_wait(member_of(request), code) > 1
        records.sign_in_failed(stage, "code_throttled" if throttled else "code_wrong")
        return False
    verification.passed(request, device, stage)
    return True


def _go_on(request: HttpRequest) -> HttpResponse | None:
    """Back to the page that was asked for; or on to the view, which sees its own fields alone."""
    if PAGE in request.POST:
        return HttpResponseRedirect(request.get_full_path())
    request.came_from = request.POST.get(FROM, "")  # type: ignore[attr-defined]  # read by `here`
    fields = request.POST.copy()
    for name in OURS:
        fields.pop(name, None)
    fields._mutable = False
    request.POST = cast("_ImmutableQueryDict", fields)
    return None


def _carrying(request: HttpRequest, problem: str) -> dict[str, Any]:
    """What the page needs to send the same thing to the same address once more."""
    posted = request.method == "POST" and PAGE not in request.POST and not _is_secret(request)
    lists = request.POST.lists() if posted else ()
    return {
        "problem": problem,
        "action": request.get_full_path(),
        "carried": [(name, value) for name, values in lists if name not in OURS for value in values],
        "is_page": not posted,
        "files": posted and bool(request.FILES),
        "back": (request.get_full_path() if not posted else here(request)) or "/",
    }


def _is_secret(request: HttpRequest) -> bool:
    """Whether what was posted appears in no page: then its form is come back to, empty."""
    return bool(request.resolver_match and getattr(request.resolver_match.func, "never_carried", False))


def _wrong_code(member: Member, code: str) -> str:
    words = _("This code is not right, or was used before. Wait for the next one.")
    return words + _waiting(factors.seconds_to_wait(member, code))


def _waiting(seconds: int) -> str:
    if seconds <= 1:
        return ""
    words = ngettext(
        "After this many attempts, the next code can be checked in %(n)s second.",
        "After this many attempts, the next code can be checked in %(n)s seconds.",
        seconds,
    )
    return " " + words % {"n": seconds}
