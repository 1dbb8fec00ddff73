"""The two halves of a passkey's ceremony, for a proof and for a new one. All take POST alone.

The script of the page asks, has the browser answer, and sends the answer back; then the page's own
form goes on. A refusal is an entry, with a reason for the log alone.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django_otp_webauthn import exceptions, views
from django_otp_webauthn.utils import rewrite_exceptions

from staff.frame import mails
from staff.frame.sign_in import as_one
from staff.session import sessions
from staff.session.decorators import before_factor, post_only, while_locked
from staff.session.members import member_of
from staff.sign_in import factors, passkeys, records, verification
from staff.sign_in.forms.factors import name_of

if TYPE_CHECKING:
    from django_otp_webauthn.models import WebAuthnCredential

PROOF: Final = "proof"
ADDING: Final = "adding"
#: Why a ceremony was refused, in the log's words, by the package's; anything else is wrong.
REASONS: Final = {
    "credential_not_found": "passkey_unknown",
    "credential_user_mismatch": "passkey_foreign",
    "credential_disabled": "passkey_unconfirmed",
    "invalid_state": "passkey_not_asked",
    "passkey_cloned": "passkey_cloned",
    "passkey_known": "passkey_known",
    "user_not_verified": "mfa_stale",
}


class _Half:
    """What the four halves share: how they read, and how they refuse."""

    request: HttpRequest

    def _parse_request_data(self, request: HttpRequest) -> Any:
        if request.content_type != "application/json":
            return None
        try:
            return json.loads(request.body)
        except (ValueError, RecursionError):  # not JSON, no text at all, or lists without end in one another
            return None

    def handle_exception(self, exc: Exception) -> HttpResponse:
        """One sentence for every refusal; what it was appears in the log."""
        if not isinstance(exc, exceptions.OTPWebAuthnApiError):
            raise exc
        reason = REASONS.get(exc.code, "passkey_wrong")
        records.sign_in_failed(self.stage(), reason)
        if reason == "passkey_cloned":
            mails.notify(member_of(self.request), "staff/mail/passkey_cloned.txt")
        words = _("This passkey could not be used. Try again, or choose another way.")
        return JsonResponse({"words": words}, status=403)

    def stage(self) -> records.Stage:
        if sessions.of(self.request).locked is not None:
            return "unlock"
        return "step-up" if factors.is_verified(self.request) else "code"


class _BeginProof(_Half, views.BeginCredentialAuthenticationView):  # type: ignore[misc]  # no types
    """What the browser is asked, to prove a passkey of the member's."""

    def post(self, *_args: Any, **_kwargs: Any) -> HttpResponse:
        question, state = self.get_helper().authenticate_begin(user=member_of(self.request))
        passkeys.remember_challenge(self.request, PROOF, state)
        return JsonResponse(question)


class _CompleteProof(_Half, views.CompleteCredentialAuthenticationView):  # type: ignore[misc]  # no types
    """Whether the answer is right: then the session is verified, under a new key."""

    def get_state(self) -> dict[str, Any]:
        return self.state

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        # Used up before anything is judged, and whatever is judged: outside the transaction below.
        self.state = passkeys.take_question(self.request, PROOF)
        with as_one():
            answer: HttpResponse = super().post(*args, **kwargs)
        return answer

    def complete_auth(self, device: WebAuthnCredential) -> None:
        verification.passed(self.request, device, self.stage())

    def get_success_data(self, device: WebAuthnCredential) -> dict[str, str]:
        """Nothing: the page's form knows where to go on."""
        return {}


class _Adding(_Half):
    """Who may add a passkey: the package asks for a verified session, we for a fresh one."""

    def check_can_register(self) -> None:
        if not verification.may_add(self.request):
            raise exceptions.NotVerified(code="user_not_verified")


class _BeginAdding(_Adding, views.BeginCredentialRegistrationView):  # type: ignore[misc]  # no types
    """What the browser is asked, to make a passkey."""

    def post(self, *_args: Any, **_kwargs: Any) -> HttpResponse:
        question, state = self.get_helper().register_begin(user=member_of(self.request))
        passkeys.remember_challenge(self.request, ADDING, state)
        return JsonResponse(question)


class _CompleteAdding(_Adding, views.CompleteCredentialRegistrationView):  # type: ignore[misc]  # no types
    """Take the new passkey into use. The first one verifies the session (`verification.added`)."""

    def get_state(self) -> dict[str, Any]:
        return self.state

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        self.state = passkeys.take_question(self.request, ADDING)
        member = member_of(self.request)
        first = not factors.has_factor(member)
        with as_one(), rewrite_exceptions():
            device = self.get_helper().register_complete(user=member, state=self.state, data=self.data)
            device.name = name_of(self.data.get("name"))
            device.save(update_fields=["name"])
            verification.added(self.request, device, first=first)
        return JsonResponse({} if first else {"next": reverse("factors")})

    @property
    def data(self) -> Any:
        return self.request.data  # type: ignore[attr-defined]  # the package puts it there


passkey_begin = post_only("home")(while_locked(before_factor(_BeginProof.as_view())))
passkey_complete = post_only("home")(while_locked(before_factor(_CompleteProof.as_view())))
passkey_add_begin = post_only("factors")(before_factor(_BeginAdding.as_view()))
passkey_add_complete = post_only("factors")(before_factor(_CompleteAdding.as_view()))
