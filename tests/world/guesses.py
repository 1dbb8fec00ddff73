"""Attempts to sign in that fail, and how many were counted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from staff.sign_in import lockout
from tests.conftest import Connection
from tests.world import World

HERE, THERE = "192.0.2.7", "198.51.100.9"


WRONG = "not the password at all"


@pytest.fixture
def world(setup_connection: Connection) -> World:
    return World(setup_connection)


def attempt(email: str, password: str = WRONG, address: str = HERE, **headers: str) -> Any:
    """One sign-in form from an address."""
    form = {"email": email, "password": password}
    return Client().post(reverse("sign_in"), form, REMOTE_ADDR=address, headers=headers)


def failed_before(world: World, email: str, address: str | None, count: int, minutes: int = 5) -> None:
    """Failures that were counted some minutes ago."""
    world.insert(
        "staff_attemptcount",
        about=lockout.name_of(email),
        remote_addr=address,
        quarter=minutes,
        attempts=count,
        last_at=timezone.now() - timedelta(minutes=minutes),
    )
