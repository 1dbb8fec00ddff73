"""Members: who works here, with which roles, and what two people decide about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from audit import references
from staff.frame.sign_in import SIGN_IN

if TYPE_CHECKING:
    from django.db.models.sql.compiler import SQLCompiler

#: In a query, in place of what its connection may not read.
HELD_BACK: Final = "NULL::text"


class Role(models.TextChoices):
    """What a member may do. Consultant and manager combine; every other role is held alone."""

    CONSULTANT = "consultant", _("consultant")
    MANAGER = "manager", _("manager")
    REVIEWER = "reviewer", _("security reviewer")
    PEOPLE = "people", _("people officer")
    PRIVACY = "privacy", _("privacy officer")
    ADMINISTRATOR = "administrator", _("system administrator")


class PasswordField(models.CharField):  # type: ignore[type-arg]  # generic for the stubs alone
    """A password's hash, which signing in's connection alone reads: others get None in its place."""

    def select_format(self, compiler: SQLCompiler, sql: str, params: Any) -> tuple[str, Any]:
        """What appears in a query for the column."""
        return (sql, params) if compiler.connection.alias == SIGN_IN else (HELD_BACK, ())

    def deconstruct(self) -> Any:
        """For the database it is text like any other."""
        name, _path, args, options = super().deconstruct()
        return name, "django.db.models.CharField", args, options


class MemberManager(BaseUserManager["Member"]):
    """Members are found by e-mail at sign-in; e-mails are stored normalised."""

    def get_by_natural_key(self, username: str | None) -> Member:
        return self.get(email=username)


class Member(AbstractBaseUser, PermissionsMixin):  # type: ignore[django-manager-missing]  # django-otp's
    """One of the staff. Members leave; they are never deleted."""

    password = PasswordField("password", max_length=128)
    # Another one for another password, and no help in finding one: the hash has a salt of 128 bits.
    password_mark = models.GeneratedField(
        expression=Func(F("password"), Value(0), function="hashtextextended"),
        output_field=models.BigIntegerField(),
        db_persist=True,
    )
    number = models.CharField(_("number"), max_length=8, unique=True)
    name = models.CharField(_("name"), max_length=200)
    email = models.EmailField(_("e-mail"), unique=True)  # normalised by staff.frame.emails.normalise
    roles = ArrayField(models.CharField(max_length=13, choices=Role.choices), default=list, blank=True)
    manager = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="reports", verbose_name=_("manager")
    )
    language = models.CharField(_("language"), max_length=2, default="en")
    theme = models.CharField(_("theme"), max_length=5, default="auto")
    starts_on = models.DateField(_("starts on"), null=True, blank=True)
    left_on = models.DateField(_("last day"), null=True, blank=True)
    suspended_at = models.DateTimeField(_("suspended"), null=True, blank=True)
    # Until when one person's suspension holds; empty: until it is lifted (suspensions.sql).
    suspended_until = models.DateTimeField(_("suspended until"), null=True, blank=True)
    # Opening up again takes a second person: not the one who suspended.
    suspended_by = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    # Who put the present address there after the member was added; empty: nobody, or a command. They make no
    # link for it by themselves (staff/directory/sql/people.sql, is_own_address).
    email_changed_by = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="+")
    email_changed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    # No superuser, in the column's absence: guardian and Django ask for the attribute.
    is_superuser = False

    objects: ClassVar[MemberManager] = MemberManager()
    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["number", "name"]

    class Meta:
        ordering = ("number",)
        default_permissions = ()
        constraints = (
            models.CheckConstraint(
                name="member_roles_combine",
                condition=Q(roles__contained_by=["consultant", "manager"]) | Q(roles__len=1),
            ),
            models.CheckConstraint(
                name="member_roles_known", condition=Q(roles__contained_by=list(Role.values))
            ),
            models.CheckConstraint(
                name="member_number_form", condition=Q(number__regex=f"^{references.MEMBER}$")
            ),
            # Plain, and in lower case: one mailbox, one member (staff.frame.emails).
            models.CheckConstraint(
                name="member_email_form", condition=Q(email__regex=r"^[!-?[-~]+@[!-?[-~]+$")
            ),
            models.CheckConstraint(
                name="member_suspended_since",
                condition=Q(suspended_until__isnull=True) | Q(suspended_at__isnull=False),
            ),
            models.CheckConstraint(
                name="member_not_own_manager", condition=~Q(manager=F("id")) | Q(manager__isnull=True)
            ),
        )

    def __str__(self) -> str:
        return self.number

    @staticmethod
    def suspended() -> Q:
        """Who is suspended at this moment, for a table; `is_suspended` says it of one."""
        counts = Q(suspended_until__isnull=True) | Q(suspended_until__gt=timezone.now())
        return Q(suspended_at__isnull=False) & counts

    @property
    def is_suspended(self) -> bool:
        """Whether a suspension counts now: one that nobody else confirmed ends by itself."""
        if self.suspended_at is None:
            return False
        return self.suspended_until is None or timezone.now() < self.suspended_until

    def get_session_auth_hash(self) -> str:
        """What a session remembers of the password: with another one it is over."""
        return salted_hmac("staff.Member.password", str(self.password_mark)).hexdigest()

    def barred_because(self) -> str:
        """Why the member may not be signed in: suspended, or past the last day; empty when neither.

        The last day counts to its end in the company's time zone.
        """
        if self.is_suspended:
            return "member_suspended"
        if self.left_on is not None and self.left_on < timezone.localdate():
            return "member_left"
        return ""


#: Why nobody may be signed in, whatever they prove.
BARRED: Final = ("member_suspended", "member_left")


class Proposal(models.Model):
    """A change of a member that a second person has to confirm, because it opens something
    up (staff/README.md, 'Two persons').

    Who proposed it may not confirm it, nor may the one concerned; a command proposes as `source`.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("waits")
        CONFIRMED = "confirmed", _("confirmed")
        DECLINED = "declined", _("declined")
        WITHDRAWN = "withdrawn", _("withdrawn")
        EXPIRED = "lapsed", _("expired")

    subject = models.ForeignKey(Member, models.PROTECT, related_name="proposals")
    fact = models.CharField(max_length=12)  # roles, manager, factor, suspended, left_on
    # The fact as it was: what was proposed against another state expires.
    before = models.JSONField(null=True)
    value = models.JSONField(null=True)
    source = models.CharField(max_length=80, default="")  # a command and its system user; else empty
    proposed_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")
    proposed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=9, choices=State.choices, default=State.PENDING)
    decided_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(
                name="proposal_one_waits_a_fact", fields=["subject", "fact"], condition=Q(state="pending")
            ),
            models.CheckConstraint(
                name="proposal_second_person",
                condition=~Q(state="confirmed")
                | (Q(decided_by__isnull=False) & ~Q(decided_by=F("subject")))
                & (Q(proposed_by__isnull=True) | ~Q(decided_by=F("proposed_by"))),
            ),
            models.CheckConstraint(
                name="proposal_not_of_oneself",
                condition=Q(proposed_by__isnull=True) | ~Q(proposed_by=F("subject")),
            ),
        )

    def __str__(self) -> str:
        return str(self.pk)

    @property
    def stands(self) -> State:
        """Its state of now: what nobody decided in time has expired, also where no row says so yet."""
        state = self.State(self.state)
        over = state is self.State.PENDING and self.expires_at <= timezone.now()
        return self.State.EXPIRED if over else state


class Recovery(models.Model):
    """Officers who were brought back on the database's machine (`manage.py recover`). It stands on every page
    until a reviewer has acknowledged it."""

    at = models.DateTimeField()
    source = models.CharField(max_length=80)  # the command and its system user
    numbers = ArrayField(models.CharField(max_length=8))
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(Member, models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("-id",)
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.pk)
