"""What a view says about itself: who may have it, and what asking for it means for the session."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Concatenate, Final, ParamSpec, Protocol, TypeVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from staff.directory import people
from staff.frame.callers import Caller
from staff.frame.reasons import words_of
from staff.frame.redirects import here
from staff.session import once, step_up

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise as StrOrPromise

Rest = ParamSpec("Rest")
View = Callable[Concatenate[HttpRequest, Rest], HttpResponse]
#: One whose answer may be a stream, too.
Answering = Callable[Concatenate[HttpRequest, Rest], HttpResponseBase]
AnyView = TypeVar("AnyView", bound=Callable[..., HttpResponseBase])


#: The field of a page that asks once more before what cannot be undone.
SURE: Final = "sure"

#: Reasons that speak of what was sent, or of the house, and of nobody's rights.
OF_WHAT_WAS_SENT: Final = frozenset({"value_refused", "seal_failed"})


class Mark(Protocol):
    """A decorator that gives the view back as it is, marked."""

    def __call__(self, view: AnyView) -> AnyView: ...


def polling(view: AnyView) -> AnyView:
    """Mark a page that asks by itself: nobody is active because of it."""
    view.polling = True  # type: ignore[attr-defined]  # read by SessionGuardMiddleware
    return view


def before_factor(view: AnyView) -> AnyView:
    """Mark a page of signing in, open between the password and the code."""
    view.before_factor = True  # type: ignore[attr-defined]  # read by SessionGuardMiddleware
    return view


def while_locked(view: AnyView) -> AnyView:
    """Mark a step of a step-up by a passkey: it is open to a locked session, which it unlocks."""
    view.while_locked = True  # type: ignore[attr-defined]  # read by SessionGuardMiddleware
    return view


def never_carried(view: AnyView) -> AnyView:
    """Mark what takes passwords or recovery codes: no other page carries what was sent to it."""
    view.never_carried = True  # type: ignore[attr-defined]  # read by staff.session.step_up
    return view


def closing(view: AnyView) -> AnyView:
    """Mark what ends the session: it is answered under the key before a renewal, too."""
    view.closing = True  # type: ignore[attr-defined]  # read by SessionGuardMiddleware
    return view


def post_only(page: str, *kept: str) -> Callable[[Answering[Rest]], Answering[Rest]]:
    """Do what a form asks for; whoever comes by the address alone is led to the page where the form is.

    They typed it, had kept it, or signed in on the way: nothing is done. So are those who load the answer
    again without a script: it is not done a second time. `page` is that page's name, `kept` which of the
    address's parts it has too.
    """

    def decorate(view: Answering[Rest]) -> Answering[Rest]:
        guarded: Answering[Rest] = require_POST(shown_once(page, *kept)(view))

        @wraps(view)
        def led(request: HttpRequest, /, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponseBase:
            if request.method != "GET":
                return guarded(request, *args, **kwargs)
            if request.user.is_authenticated:
                messages.info(request, _("Nothing was done: this takes a press of the button here."))
            return HttpResponseRedirect(reverse(page, kwargs={name: kwargs[name] for name in kept}))

        led.post_only = True  # type: ignore[attr-defined]  # read by the walk over the addresses
        return led

    return decorate


def shown_once(page: str, *kept: str) -> Callable[[Answering[Rest]], Answering[Rest]]:
    """Lead to `page`, as `post_only` does, when a form comes again that was answered with a page."""

    def decorate(view: Answering[Rest]) -> Answering[Rest]:
        @wraps(view)
        def first(request: HttpRequest, /, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponseBase:
            if request.method == "POST" and once.was_answered(request):
                messages.info(request, _("This had been sent already, and was not done a second time."))
                return HttpResponseRedirect(reverse(page, kwargs={name: kwargs[name] for name in kept}))
            response = view(request, *args, **kwargs)
            if request.method == "POST":
                once.note(request, response)
            return response

        return first

    return decorate


def resendable(act: StrOrPromise, *, only: tuple[str, str] | None = None, **labels: StrOrPromise) -> Mark:
    """Keep what was typed into this form when it was not done, to be sent again (staff.session.resending).

    `act` says what sending it does, as a full sentence; `labels` name the typed fields, which are shown;
    `only` is the field and the value of a form that has several acts. Nothing that reveals, approves or
    signs, and no form with a password or a code, is marked with it.
    """

    def mark(view: AnyView) -> AnyView:
        view.resendable = (act, only, labels)  # type: ignore[attr-defined]  # read by staff.session.resending
        return view

    return mark


def role_required(act: str) -> Callable[[View[Rest]], View[Rest]]:
    """Ask the database, at this moment, whether an officer's act is the member's.

    `act` is a word of `staff.authorize`: people, approve, review, end, suspend, administer, privacy.
    """

    def decorate(view: View[Rest]) -> View[Rest]:
        @wraps(view)
        def judged(request: HttpRequest, /, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponse:
            reason = people.authorize(Caller.of(request), act)
            return refusal(request, reason) if reason else view(request, *args, **kwargs)

        return judged

    return decorate


def refusal(request: HttpRequest, reason: str) -> HttpResponse:
    """The answer to what is not allowed: the step that would help, or the reason, as a 403 page.

    `mfa_stale` loses nothing: what was posted is posted again with the proof, and done at once.
    """
    if reason == "mfa_stale":
        return step_up.ask(request)
    words = {
        "reason": reason,
        "words": words_of(reason),
        "is_right": reason not in OF_WHAT_WAS_SENT,
        "back": here(request) or "/",
    }
    return render(request, "staff/session/refused.html", words, status=403)
