"""The demo's data: loaded whole, loaded once, and good for signing in."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.models import Max
from django.test import override_settings
from django.test.utils import CaptureQueriesContext

from audit.models import Entry
from gatekeeper.demo import people
from gatekeeper.feeds import store
from gatekeeper.models import Account, Assignment, Ticket
from staff.models import Member, Signature
from staff.sign_in import factors

pytestmark = [
    pytest.mark.pdf,
    pytest.mark.django_db(transaction=True, databases="__all__"),
]


def everything() -> dict[str, int]:
    models = (Account, Assignment, Ticket, Member, Signature, Entry)
    return {model.__name__: model._default_manager.count() for model in models}


def test_load() -> None:
    people.load()
    found = everything()
    assert found | {"Entry": 0, "Assignment": 0} == {
        "Account": 2000,
        "Ticket": 400,
        "Member": 14,
        "Signature": 14,
        "Entry": 0,
        "Assignment": 0,
    }
    newest = Account.objects.aggregate(at=Max("exported_at"))["at"]
    assert timedelta() < datetime.now(UTC) - newest < timedelta(minutes=10)
    anna = Member.objects.using("signin").get(number="K-0193")
    assert anna.check_password(people.PASSWORD)
    rows = people.sign_in_table()
    assert len(rows) == 14
    assert ("K-0193", "Anna Nowak", "consultant", "anna.nowak@example.com", people.PASSWORD) in rows

    asked = [CaptureQueriesContext(connections[alias]) for alias in connections]
    with ExitStack() as stack:
        for one in asked:
            stack.enter_context(one)
        people.load()
    assert sum(map(len, asked)) == 2  # whether anybody is there, and whether all have their factors
    assert everything() == found

    # A code is taken once: the next that is printed is another, and is taken as well.
    codes = [people.current_code("K-0193")]
    assert factors.verify(anna, codes[0])
    codes.append(people.current_code("K-0193"))
    assert codes[0] != codes[1]
    assert factors.verify(anna, codes[1])
    with pytest.raises(LookupError):
        people.current_code("K-9999")


def test_cut_short(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **_more: object) -> dict[str, str]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(store, "store_participants", broken)
        with pytest.raises(KeyboardInterrupt):
            people.load()
    exported = set(Account.objects.values_list("exported_at", flat=True))
    people.load()
    assert set(Account.objects.values_list("exported_at", flat=True)) == exported
    assert everything()["Ticket"] == 400
    assert Entry.objects.filter(event="import").exclude(details__has_key="stored").count() == 4


def test_not_in_production() -> None:
    with override_settings(MODE="production"), pytest.raises(ImproperlyConfigured):
        people.load()
