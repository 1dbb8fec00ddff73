"""The demo's people, accounts and tickets: the samples of tests/data, moved to now.

Everything goes in as it would in a real installation, through the imports and the functions that
record. Only what people would do by themselves, choosing a password and enrolling a second factor,
is done for them; so this refuses to run in production.
"""

from __future__ import annotations

import io
import re
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Min, QuerySet
from django.utils import timezone
from django_otp.oath import TOTP

from audit.models import Entry, Event
from gatekeeper.demo import acts
from gatekeeper.feeds import store as storing
from gatekeeper.feeds import tickets
from gatekeeper.feeds.account_lines import AccountLine
from gatekeeper.feeds.importing import Import
from gatekeeper.feeds.participant_lines import ParticipantLine
from gatekeeper.feeds.records import Shape
from gatekeeper.feeds.staff_lines import StaffLine
from gatekeeper.feeds.ticket_lines import TicketLine
from gatekeeper.models import Account
from staff.directory import people
from staff.frame.sign_in import SIGN_IN, as_one
from staff.models import Member, NdaVersion, Signature, TotpDevice
from staff.nda import by_command, versions
from staff.secrets import totp
from staff.sign_in import factors

SAMPLES: Final = Path(__file__).resolve().parents[2] / "tests" / "data"
SOURCE: Final = "demo"
PASSWORD: Final = "four ducks on the ice"  # noqa: S105 - the demo's, printed at its start
VERSION: Final = 1
TERM_DAYS: Final = 365
GRACE_DAYS: Final = 14
SIGNED_DAYS_AGO: Final = 30

_TIME: Final = re.compile(r'"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)"')


def load() -> None:
    """Load the samples. Run again, it finishes what was cut short, and changes nothing else.

    Raises ImproperlyConfigured outside the demo.
    """
    if settings.MODE not in {"demo", "test"}:
        raise ImproperlyConfigured("The demo's data are for the demo: their passwords are known.")
    if _is_complete():
        return
    move = _moved_by()
    _take("staff", StaffLine, _store_members, timedelta())
    _sign_agreements()
    _take("accounts", AccountLine, partial(storing.store_accounts, source=SOURCE), move)
    _take("participants", ParticipantLine, partial(storing.store_participants, source=SOURCE), move)
    _take("tickets", TicketLine, partial(tickets.apply_patiently, source=SOURCE), move)
    tickets.record_contact(SOURCE)
    _give_factors()
    acts.act()


def sign_in_table() -> list[tuple[str, str, str, str, str]]:
    """Who can sign in, and how: number, name, roles, e-mail, password."""
    return [
        (member.number, member.name, ", ".join(member.roles), member.email, PASSWORD)
        for member in Member.objects.using(SIGN_IN).filter(totpdevice__confirmed=True).order_by("number")
    ]


def current_code(number: str) -> str:
    """A member's one-time code that will still be taken: each counts once, so that after two within
    a step we wait for the next. Raises LookupError."""
    device = TotpDevice.objects.filter(user__number=number, confirmed=True).first()
    if device is None:
        raise LookupError("there is no such member, or no second factor of theirs")
    step = max(int(time.time()) // totp.STEP, device.last_step + 1)
    time.sleep(max(0, (step - totp.TOLERANCE) * totp.STEP - time.time()))
    clock = TOTP(device.key, step=totp.STEP, digits=totp.DIGITS)
    clock.time = step * totp.STEP
    return f"{clock.token():0{totp.DIGITS}d}"


def _is_complete() -> bool:
    """Factors come last: who has them all has everything."""
    return Member.objects.exists() and not _without_factor().exists()


def _moved_by() -> timedelta:
    """How far the samples' times move, so that the newest is of a minute ago; or moved the first time."""
    exported = _times("accounts", "exported_at")
    first: datetime | None = Account.objects.aggregate(first=Min("exported_at"))["first"]
    if first is not None:
        return first - min(exported)
    newest = max(*exported, *_times("tickets", "updated_at"))
    return datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=1) - newest


def _times(name: str, field: str) -> list[datetime]:
    return [datetime.fromisoformat(found) for found in re.findall(f'"{field}": "([^"]+)"', _text(name))]


def _text(name: str) -> str:
    return (SAMPLES / f"{name}.jsonl").read_text(encoding="utf-8")


def _take(
    name: str,
    shape: type[Shape],
    store: Callable[[Sequence[Shape]], Mapping[str, str]],
    move: timedelta,
) -> None:
    def moved(found: re.Match[str]) -> str:
        return f'"{(datetime.fromisoformat(found[1]) + move).isoformat()}"'

    def refused(number: int, reason: str) -> None:
        raise ValueError(f"{name}, line {number}: {reason}")

    run = Import(shape, store, batch=500, refused=refused)
    run.run(io.BytesIO(_TIME.sub(moved, _text(name)).encode()), lambda _: None)
    if run.counts["new"] or run.counts["changed"]:
        if name == "staff":
            people.record_import(run.counts, SOURCE, finished=True)
        else:
            storing.record_import(name, run.counts, SOURCE)


def _store_members(lines: Sequence[StaffLine]) -> Mapping[str, str]:
    return dict(people.apply_members([line.payload() for line in lines], SOURCE))


def _sign_agreements() -> None:
    """Publish our sample and sign it for everybody: signed PDFs, whose evidence names this command."""
    signed_at = timezone.now() - timedelta(days=SIGNED_DAYS_AGO)
    if not NdaVersion.objects.exists():
        terms = versions.Terms(
            number=VERSION,
            effective_at=signed_at - timedelta(days=TERM_DAYS),
            term_days=TERM_DAYS,
            grace_days=GRACE_DAYS,
            countersigned=False,
            text_en=versions.sample("en"),
            text_pl=versions.sample("pl"),
        )
        _expect_done(by_command.publish_by_command(SOURCE, terms))
    version = NdaVersion.objects.get(pk=VERSION)
    for member in Member.objects.exclude(pk__in=Signature.objects.values("member")):
        language = member.language
        _expect_done(
            by_command.sign_by_command(SOURCE, member, version, language=language, signed_at=signed_at)
        )


def _expect_done(reason: str) -> None:
    if reason:
        raise ValueError(f"the demo's agreements: {reason}")


def _without_factor() -> QuerySet[Member]:
    return Member.objects.using(SIGN_IN).exclude(totpdevice__confirmed=True)


def _give_factors() -> None:
    encoded = make_password(PASSWORD)
    for member in _without_factor():
        with as_one():
            Member.objects.using(SIGN_IN).filter(pk=member.pk).update(password=encoded)
            device = factors.enrol_totp(member)
            TotpDevice.objects.filter(pk=device.pk).update(confirmed=True)
            Entry.objects.using(SIGN_IN).create(
                event=Event.CHANGE,
                member=member.number,
                member_name=member.name,
                object_repr=SOURCE,
                cid=secrets.token_hex(16),
            )
