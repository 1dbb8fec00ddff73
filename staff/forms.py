"""The forms of signing in and of the people officer. What a form lets through the database judges."""

from __future__ import annotations

from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from staff.models import Member, NdaVersion, Role

# Long pass phrases are welcome; a megabyte for the hasher to chew is not.
PASSWORD_LENGTH = 1000
EARLIEST_YEAR = 2000


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
    """The code of the second factor; white space in it does not count."""

    code = forms.CharField(
        label=_("Code from your application"),
        max_length=20,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
        ),
    )


if TYPE_CHECKING:
    _MemberForm = forms.ModelForm[Member]
else:  # Django's class takes no subscript at run time
    _MemberForm = forms.ModelForm


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
        password = str(self.cleaned_data["password"])
        password_validation.validate_password(password, self.member)
        return password

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if "password" in data and data["password"] != data.get("again"):
            self.add_error("again", ValidationError(_("The two passwords differ.")))
        return data


class SearchForm(forms.Form):
    """Finds members; sent in the body, for a name has no place in an address (ASVS 14.2.1)."""

    text = forms.CharField(
        label=_("Number or name"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    page = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)


def _day(label: Any, *, required: bool = True) -> forms.DateField:
    # Browsers send dates of this kind in ISO form in every language.
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=required, widget=widget, input_formats=["%Y-%m-%d"])


def _plausible(day: Any) -> Any:
    if day is not None and not EARLIEST_YEAR <= day.year <= timezone.localdate().year + 20:
        raise ValidationError(_("This date is too far away."))
    return day


class DayForm(forms.Form):
    """A first day or a last one; empty means none."""

    day = _day(_("Day"), required=False)

    def clean_day(self) -> Any:
        return _plausible(self.cleaned_data["day"])


class RolesForm(forms.Form):
    """Roles; that they combine the database states."""

    roles = forms.MultipleChoiceField(
        label=_("Roles"), choices=Role.choices, widget=forms.CheckboxSelectMultiple
    )


class ManagerForm(forms.Form):
    """The manager's number; empty means none."""

    manager = forms.RegexField(
        label=_("Manager’s number"), regex=r"^K-[0-9]{4,6}$", required=False, empty_value=None
    )


class SignatureForm(forms.Form):
    """A version and the day on which a member signed it."""

    version = forms.ModelChoiceField(label=_("Version"), queryset=NdaVersion.objects.all(), empty_label=None)
    day = _day(_("Signed on"))

    def clean_day(self) -> Any:
        return _plausible(self.cleaned_data["day"])

    @property
    def signed_at(self) -> datetime:
        """Today's signature counts from now, an earlier day's from its beginning."""
        day = self.cleaned_data["day"]
        return timezone.now() if day == timezone.localdate() else beginning_of(day)


class WithdrawalForm(forms.Form):
    """Which signature."""

    signature = forms.IntegerField(min_value=1, widget=forms.HiddenInput)


class NdaVersionForm(forms.Form):
    """A new version of the agreement."""

    number = forms.IntegerField(label=_("Version"), min_value=1, max_value=9999)
    effective_on = _day(_("Required from"))
    term_days = forms.IntegerField(
        label=_("A signature is valid for (days)"), min_value=1, max_value=3650, initial=365
    )
    grace_days = forms.IntegerField(
        label=_("Grace period for the version before (days)"),
        min_value=0,
        max_value=365,
        initial=14,
    )

    def clean_effective_on(self) -> Any:
        return _plausible(self.cleaned_data["effective_on"])


class ProfileForm(forms.Form):
    """A member's own settings; nothing else of the member is reachable through it."""

    language = forms.ChoiceField(label=_("Language"), choices=(("en", "English"), ("pl", "polski")))
    theme = forms.ChoiceField(
        label=_("Theme"),
        choices=(
            ("auto", pgettext_lazy("theme", "auto")),
            ("light", pgettext_lazy("theme", "light")),
            ("dark", pgettext_lazy("theme", "dark")),
        ),
    )


def beginning_of(day: Any) -> datetime:
    """The first moment of a day in the company's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))
