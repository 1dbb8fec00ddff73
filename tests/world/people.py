"""Members who can sign in, for the tests of the pages: a password, a second factor, a browser."""

from __future__ import annotations

import time
from functools import cache
from typing import Any, cast

from django.contrib.auth.hashers import make_password
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP

from staff.frame.sign_in import SIGN_IN
from staff.models import Member, TotpDevice
from staff.secrets import totp
from staff.sign_in import factors
from tests.world import Person, World

PASSWORD = "three quiet otters dance"


@cache
def _encoded() -> str:
    return make_password(PASSWORD)


def give_factors(world: World, *people: Person) -> None:
    """Give members the password and a confirmed second factor."""
    for person in people:
        world.change("staff_member", person.id, password=_encoded())
        device = factors.enrol_totp(member(person))
        world.change("staff_totpdevice", device.pk, confirmed=True)


def member(person: Person) -> Member:
    return Member.objects.get(pk=person.id)


def password_of(person: Person | Member) -> str:
    """The hash, as signing in alone reads it."""
    return str(Member.objects.using(SIGN_IN).get(pk=person.id).password)


def device_of(person: Person) -> TotpDevice:
    """The member's application; one in use before one that waits for its first code."""
    mine = TotpDevice.objects.filter(user_id=person.id).order_by("-confirmed", "pk")
    return cast("TotpDevice", mine[:1].get())


def fresh_code(world: World, person: Person) -> str:
    """The code of now, as if none had been used before."""
    device = device_of(person)
    world.change("staff_totpdevice", device.pk, last_step=-1)
    return totp.current_code(device.key)


def code_at(person: Person, *, seconds: int) -> str:
    """The code that the application showed, or will show, some seconds from now."""
    clock = TOTP(device_of(person).key)
    clock.time = time.time() + seconds
    return f"{clock.token():06d}"


def give_password(client: Client, person: Person, password: str = PASSWORD, **more: Any) -> Any:
    """Send the sign-in form."""
    form = {"email": member(person).email, "password": password, **more}
    return client.post(reverse("sign_in"), form)


def sign_in(world: World, person: Person, **options: Any) -> Client:
    """A browser in which the member is signed in, both factors proved."""
    client = Client(**options)
    give_password(client, person)
    code = fresh_code(world, person)
    assert client.post(reverse("sign_in_code"), {"code": code}).status_code == 302
    return client
