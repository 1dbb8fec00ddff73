"""What a view says about itself: who may have it, and what asking for it means for the session."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, TypeVar

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from staff import people, presence
from staff.callers import Caller
from staff.reasons import words_of

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise as StrOrPromise

Rest = ParamSpec("Rest")
View = Callable[Concatenate[HttpRequest, Rest], HttpResponse]
AnyView = TypeVar("AnyView", bound=Callable[..., HttpResponse])


class Mark(Protocol):
    """A decorator that gives the view back as it is, marked."""

    def __call__(self, view: AnyView) -> AnyView: ...


def polling(view: AnyView) -> AnyView:
    """Mark a page that asks by itself: nobody is active because of it (DESIGN §6)."""
    view.polling = True  # type: ignore[attr-defined]  # read by SessionGuardMiddleware
    return view


def before_factor(view: AnyView) -> AnyView:
    """Mark a page of signing in, open between the password and the code."""
    view.before_factor = True  # type: ignore[attr-defined]  # read by SessionGuardMiddleware
    return view


def while_locked(view: AnyView) -> AnyView:
    """Mark a step of proving presence by a passkey: it is open to a locked session, which it unlocks."""
    view.while_locked = True  # type: ignore[attr-defined]  # read by SessionGuardMiddleware
    return view


def closing(view: AnyView) -> AnyView:
    """Mark what ends the session: it is answered under the key before a renewal, too."""
    view.closing = True  # type: ignore[attr-defined]  # read by SessionGuardMiddleware
    return view


def resendable(act: StrOrPromise, *, only: tuple[str, str] | None = None, **labels: StrOrPromise) -> Mark:
    """Keep what was typed into this form when it could not be done, to be sent again (`staff.resending`).

    `act` says what sending it does, as a full sentence; `labels` name the typed fields, which are shown;
    `only` is the field and the value of a form that has several acts. Nothing that reveals, approves or
    signs, and no form with a password or a code, is marked with it.
    """

    def mark(view: AnyView) -> AnyView:
        view.resendable = (act, only, labels)  # type: ignore[attr-defined]  # read by staff.resending
        return view

    return mark


def role_required(act: str) -> Callable[[View[Rest]], View[Rest]]:
    """Ask the database, at this moment, whether an officer's act is the member's.

    `act` is a word of `vault.decide`: people, approve, review, end, suspend, administer, privacy.
    """

    def decorate(view: View[Rest]) -> View[Rest]:
        @wraps(view)
        def judged(request: HttpRequest, /, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponse:
            reason = people.officer(Caller.of(request), act)
            return refusal(request, reason) if reason else view(request, *args, **kwargs)

        return judged

    return decorate


def refusal(request: HttpRequest, reason: str) -> HttpResponse:
    """The answer to what is not allowed: the step that would help, or the reason, as a 403 page.

    `mfa_stale` loses nothing: what was posted is posted again with the proof, and done at once.
    """
    if reason == "mfa_stale":
        return presence.ask(request)
    words = {"reason": reason, "words": words_of(reason)}
    return render(request, "staff/refused.html", words, status=403)
