"""The forms of agreements and signatures."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from staff.frame.day_field import day_field
from staff.frame.days import beginning_of
from staff.frame.names import parts_of
from staff.models import Member, NdaVersion, Signature
from staff.nda.documents.markdown import can_be_shown
from staff.nda.register import State

#: Of a text, in characters; the database has the same.
LONGEST: Final = 100_000
#: Of a file that is sent in; the database and the examination have the same.
LARGEST: Final = 10 * 1024 * 1024
#: Where a PDF begins, in bytes: behind at most 1024 others, as readers have it.
BEGINNING: Final = 1024 + len(b"%PDF-")


def _text(label: Any) -> forms.CharField:
    attributes = {"rows": 18, "spellcheck": "true"}
    return forms.CharField(label=label, max_length=LONGEST, widget=forms.Textarea(attrs=attributes))


class DraftForm(forms.Form):
    """What a version will say. Its text stays as it is once it is published."""

    text_en = _text(_("English text"))
    text_pl = _text(_("Polish text"))
    effective_on = day_field(_("Required from"))
    term_days = forms.IntegerField(
        label=_("A signature is valid for (days)"), min_value=1, max_value=3650, initial=365
    )
    grace_days = forms.IntegerField(
        label=_("Grace period for the version before (days)"), min_value=0, max_value=365, initial=14
    )
    countersigned = forms.BooleanField(
        label=_("A people officer countersigns each signature; it counts from then on"), required=False
    )

    def clean_text_en(self) -> str:
        return _shown(self.cleaned_data["text_en"])

    def clean_text_pl(self) -> str:
        return _shown(self.cleaned_data["text_pl"])

    def clean_effective_on(self) -> date:
        day: date = self.cleaned_data["effective_on"]
        if day < timezone.localdate():
            raise ValidationError(_("This day has passed: today is the earliest."))
        return day


class SignForm(forms.Form):
    """The name as the member types it, and the sentence that they confirm."""

    version = forms.IntegerField(min_value=1, max_value=2**31 - 1, widget=forms.HiddenInput)
    language = forms.ChoiceField(choices=(("en", "en"), ("pl", "pl")), widget=forms.HiddenInput)
    name = forms.CharField(
        label=_("Your first and last name"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    consent = forms.BooleanField(error_messages={"required": _("Confirm the sentence to sign.")})

    def __init__(self, member: Member, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.member = member

    def clean_name(self) -> str:
        """As typed. That it is theirs is seen past letter case, marks and white space."""
        name = " ".join(str(self.cleaned_data["name"]).split())
        if parts_of(name) != parts_of(self.member.name):
            raise ValidationError(
                _("Type your name exactly as shown: %(name)s"), params={"name": self.member.name}
            )
        return name


class UploadForm(forms.Form):
    """A PDF that was signed elsewhere."""

    PAPER, ELECTRONIC = "paper", "electronic"

    version = forms.ModelChoiceField(
        label=_("Version"), queryset=NdaVersion.objects.filter(recalled_at=None), empty_label=None
    )
    kind = forms.ChoiceField(
        label=_("How it was signed"),
        choices=((ELECTRONIC, _("with an electronic signature")), (PAPER, _("on paper, as a scan"))),
        widget=forms.RadioSelect,
    )
    day = day_field(_("Signed on (paper)"), required=False)
    file = forms.FileField(
        label=_("PDF"),
        help_text=_("At most 10 MB."),
        widget=forms.ClearableFileInput(attrs={"accept": "application/pdf"}),
    )
    same_person = forms.BooleanField(
        label=_("The name in the signature differs, and I have made sure that it is this member’s"),
        required=False,
    )

    def clean_day(self) -> date | None:
        day: date | None = self.cleaned_data["day"]
        if day is not None and day > timezone.localdate():
            raise ValidationError(_("This day has not come yet."))
        return day

    def clean_file(self) -> bytes:
        sent: UploadedFile[bytes] = self.cleaned_data["file"]
        if sent.size is None or sent.size > LARGEST:
            raise ValidationError(_("The file is larger than 10 MB."))
        data = sent.read()
        if b"%PDF-" not in data[:BEGINNING]:
            raise ValidationError(_("The file is not a PDF."))
        return bytes(data)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("kind") == self.PAPER and "day" in data and data["day"] is None:
            self.add_error("day", ValidationError(_("Say on which day the paper was signed.")))
        return data

    @property
    def signed_at(self) -> datetime:
        """A paper's moment: today's counts from now, an earlier day's from its beginning."""
        day = self.cleaned_data["day"]
        return timezone.now() if day == timezone.localdate() else beginning_of(day)


class WithdrawalForm(forms.Form):
    """Which signature, and why."""

    signature = forms.IntegerField(min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)
    why = forms.ChoiceField(
        label=pgettext_lazy("withdrawal", "Reason"),
        choices=[one for one in Signature.Withdrawal.choices if one[0] != Signature.Withdrawal.LEFT],
    )


class SignaturesForm(forms.Form):
    """Signatures ticked in a list; what each of them is the database knows."""

    signature = forms.TypedMultipleChoiceField(
        coerce=int,
        error_messages={
            "required": _("Tick at least one."),
            "invalid_choice": _("Not all of them wait any more: somebody was quicker. See what is left."),
        },
    )

    def __init__(self, offered: list[int], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["signature"].choices = [(one, one) for one in offered]  # type: ignore[attr-defined]


class RegisterForm(forms.Form):
    """What of the register is shown. A name has no place in an address: it is sent in the body."""

    on = day_field(_("As of"), required=False)
    state = forms.ChoiceField(label=_("State"), required=False, choices=[("", _("all")), *State.choices])
    text = forms.CharField(
        label=_("Number or name"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    page = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)

    def clean_on(self) -> date:
        day: date | None = self.cleaned_data["on"]
        today = timezone.localdate()
        if day is not None and day > today:
            raise ValidationError(_("This day has not come yet."))
        return day or today


def _shown(text: str) -> str:
    """One way of ending lines, whatever the browser sends: the hash is of this text."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").strip() + "\n"
    if "\ufffd" in plain or not can_be_shown(plain):
        raise ValidationError(_("Some words would not show: lists or marks stand too deep in one another."))
    return plain
