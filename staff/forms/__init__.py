"""The forms of `staff`, by noun. What a form lets through the database judges."""

from staff.days import beginning_of
from staff.forms.agreements import (
    DraftForm,
    RegisterForm,
    SignaturesForm,
    SignForm,
    UploadForm,
    WithdrawalForm,
)
from staff.forms.factors import FactorNameForm, RemovalForm, TotpForm, name_of
from staff.forms.members import (
    DayForm,
    EmailForm,
    LanguageForm,
    ManagerForm,
    MemberForm,
    NameForm,
    RolesForm,
    SearchForm,
    ends_at_once,
)
from staff.forms.profile import ProfileForm
from staff.forms.sign_in import ChangePasswordForm, CodeForm, ForgottenForm, PasswordForm, SignInForm

__all__ = [
    "ChangePasswordForm",
    "CodeForm",
    "DayForm",
    "DraftForm",
    "EmailForm",
    "FactorNameForm",
    "ForgottenForm",
    "LanguageForm",
    "ManagerForm",
    "MemberForm",
    "NameForm",
    "PasswordForm",
    "ProfileForm",
    "RegisterForm",
    "RemovalForm",
    "RolesForm",
    "SearchForm",
    "SignForm",
    "SignInForm",
    "SignaturesForm",
    "TotpForm",
    "UploadForm",
    "WithdrawalForm",
    "beginning_of",
    "ends_at_once",
    "name_of",
]
