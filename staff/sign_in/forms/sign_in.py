"""The forms of signing in: the password, the code, a new password."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from staff.models import Member
from staff.sign_in.hashing import UnpreparedError, prepared

# Long pass phrases are welcome; a megabyte for the hasher to chew is not.
PASSWORD_LENGTH = 1000


class SignInForm(forms.Form):
    """E-mail and password. Pasting is allowed, and a password manager finds both."""

    email = forms.CharField(
        label=_("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=PASSWORD_LENGTH,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class CodeForm(forms.Form):
    """An application's code, or a recovery code; white space in it does not count."""

    code = forms.CharField(
        label=_("Code from your application"),
        max_length=40,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
        ),
    )


class PasswordForm(forms.Form):
    """A new password, twice: long, and not a common one (ASVS 6.2; no rules of composition)."""

    password = forms.CharField(
        label=_("New password"),
        max_length=PASSWORD_LENGTH,
        strip=False,
        help_text=_("15 characters or more. Several words are easy to remember and hard to guess."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password", "autofocus": True}),
    )
    again = forms.CharField(
        label=_("The same password again"),
        max_length=PASSWORD_LENGTH,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, member: Member, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.member = member

    def clean_password(self) -> str:
        """In the one form that is hashed: its length is counted, and the second compared, in it."""
        password = _prepared(self.cleaned_data["password"])
        password_validation.validate_password(password, self.member)
        return password

    def clean_again(self) -> str:
        return _prepared(self.cleaned_data["again"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if "password" in data and "again" in data and data["password"] != data["again"]:
            self.add_error("again", ValidationError(_("The two passwords differ.")))
        return data


def _prepared(password: str) -> str:
    try:
        return prepared(password)
    except UnpreparedError:
        raise ValidationError(
            _("It holds a sign that not every keyboard writes alike, such as some emoji. Leave that one out.")
        ) from None


class ChangePasswordForm(PasswordForm):
    """The old password, and a new one twice."""

    old = forms.CharField(
        label=_("Your password now"),
        max_length=PASSWORD_LENGTH,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )
    field_order = ("old", "password", "again")


class ForgottenForm(forms.Form):
    """The address for which a link is asked; whether it is anybody's, nobody is told."""

    email = forms.CharField(
        label=_("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
