"""The passkey's ceremony (WebAuthn level 3): what is asked of the browser, and what of its answer holds.

A passkey is a second factor, never a way in by itself. It always verifies its holder (a finger, a
face, a PIN): then it can stand for password and code where a locked session is resumed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from django.db import IntegrityError
from django.utils import timezone
from django_otp_webauthn import exceptions
from django_otp_webauthn.helpers import WebAuthnHelper
from django_otp_webauthn.models import WebAuthnCredential
from webauthn import base64url_to_bytes, verify_authentication_response
from webauthn.helpers import parse_authentication_credential_json
from webauthn.helpers.structs import UserVerificationRequirement

from staff.frame.sign_in import as_one
from staff.models import Member
from staff.session import sessions

if TYPE_CHECKING:
    from django.http import HttpRequest

#: In the session, between the two halves of a ceremony: what was asked, and when.
CHALLENGE: Final = "passkey_asked"
#: What the browser is given to show its question, in seconds; the answer counts no longer than that.
PATIENCE: Final = 300


class Cloned(exceptions.OTPWebAuthnApiError):  # type: ignore[misc]  # the package ships no types
    """A passkey's counter went backwards: there are two of it (WebAuthn level 3, 6.1.1)."""

    status_code = 403
    default_code = "passkey_cloned"


class Known(exceptions.OTPWebAuthnApiError):  # type: ignore[misc]  # the package ships no types
    """The passkey to be added is somebody's already."""

    status_code = 403
    default_code = "passkey_known"


@contextmanager
def reading() -> Iterator[None]:
    """Raise UnprocessableEntity, no error of ours, for what cannot be read of a browser's answer."""
    try:
        yield
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, struct.error) as error:
        raise exceptions.UnprocessableEntity from error


class Ceremony(WebAuthnHelper):  # type: ignore[misc]  # the package ships no types
    """The package's ceremony, with less said about the member and more asked of the passkey."""

    def get_credential_name(self, user: Member) -> str:
        """What the authenticator keeps and lists: the number, no name and no address."""
        return user.number

    def get_credential_display_name(self, user: Member) -> str:
        return user.number

    def get_generate_registration_options_kwargs(self, *, user: Member) -> dict[str, Any]:
        options: dict[str, Any] = super().get_generate_registration_options_kwargs(user=user)
        options["authenticator_selection"].user_verification = UserVerificationRequirement.REQUIRED
        return options

    def get_generate_authentication_options_kwargs(
        self, *, user: Member | None = None, require_user_verification: bool = True
    ) -> dict[str, Any]:
        options: dict[str, Any] = super().get_generate_authentication_options_kwargs(
            user=user, require_user_verification=True
        )
        return options

    def register_complete(self, user: Member, state: dict[str, Any], data: Any) -> WebAuthnCredential:
        """The member's new passkey. Raises the package's errors, and Known."""
        try:
            with reading(), as_one():
                return super().register_complete(user=user, state=state, data=data)
        except IntegrityError as error:
            raise Known from error

    def create_attestation(self, *_parts: Any) -> None:
        """Nothing is kept of who made the passkey: nobody decides by it."""

    def authenticate_complete(self, user: Member, state: dict[str, Any], data: Any) -> WebAuthnCredential:
        """The member's passkey whose answer is right. Call inside a transaction.

        The row is locked, so that of two answers with one counter the second is behind. The counter
        is compared when the signature holds: before that, anybody could cry theft. Raises the
        package's errors, and Cloned.
        """
        with reading():
            answer = parse_authentication_credential_json(data)
        known = WebAuthnCredential.objects.select_for_update()
        digest = WebAuthnCredential.get_credential_id_sha256(answer.raw_id)
        device = known.filter(credential_id_sha256=digest).first()
        if device is None:
            raise exceptions.CredentialNotFound
        if device.user_id != user.pk:
            raise exceptions.CredentialUserMismatch
        with reading():
            proved = verify_authentication_response(
                credential=answer,
                credential_current_sign_count=0,
                credential_public_key=bytes(device.public_key),
                expected_challenge=base64url_to_bytes(state["challenge"]),
                expected_rp_id=self.get_relying_party_domain(),
                expected_origin=self.get_allowed_origins(),
                require_user_verification=True,
            )
        if max(device.sign_count, proved.new_sign_count) > 0 and proved.new_sign_count <= device.sign_count:
            raise Cloned
        device.sign_count = proved.new_sign_count
        device.backup_state = proved.credential_backed_up
        device.set_last_used_timestamp(commit=False)
        device.save(update_fields=["sign_count", "last_used_at", "backup_state"])
        return device


def remember_challenge(request: HttpRequest, purpose: str, state: dict[str, Any]) -> None:
    """Remember what the browser was asked. One question is open at a time, for one purpose."""
    state = {**state, "purpose": purpose, "at": timezone.now().timestamp()}
    request.session[CHALLENGE] = state


def take_question(request: HttpRequest, purpose: str) -> dict[str, Any]:
    """What the browser was asked, for the one time that it may be answered.

    The question is gone when this returns, whatever follows: of two that send the same answer at once, one
    finds nothing. Raises InvalidState.
    """
    state = sessions.of(request).take(CHALLENGE)
    if not state or state["purpose"] != purpose or timezone.now().timestamp() > state["at"] + PATIENCE:
        raise exceptions.InvalidState
    found: dict[str, Any] = state
    return found
