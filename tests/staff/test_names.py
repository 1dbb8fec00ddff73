"""Names and passwords as people's keyboards write them."""
# ruff: noqa: RUF001  # letters of other scripts, and letters that look like others, are the subject

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password, make_password
from django.test import Client
from django.urls import reverse

from audit.models import Entry
from staff.frame.names import is_found_by, is_readable, is_seen, parts_of
from staff.models import Session
from staff.sign_in import hashing, invitations
from staff.sign_in.hashing import UnpreparedError, hash_in_vain, is_right, prepared
from tests.conftest import Connection
from tests.world import Person, World
from tests.world.names import READABLE_NAMES, UNREADABLE_NAMES, UNSEEN_NAMES
from tests.world.people import fresh_code, give_factors, member, password_of

# One word a part: whoever types it on another keyboard, in capitals, or from a passport, is the same.
SAME = [
    ("Sinéad O'Connor", "Sine\u0301ad O\u2019Connor", "SINEAD O\u02bcCONNOR",
     "Sinéad O`Connor", "Sinéad O\u00b4Connor"),
    ("Anna Kowalska-Nowak", "anna kowalska\u2013nowak", "Anna Kowalska \u2014 Nowak",
     "Anna Kowalska\u2010Nowak", "Anna Kowalska\u2212Nowak", "Anna\u00a0Kowalska\u2011Nowak"),
    ("Işık Çağlar", "ISIK CAGLAR", "I\u015e\u0131k Ça\u011flar", "isik caglar", "ışık çağlar"),
    ("İbrahim İnönü", "ibrahim inönü", "IBRAHIM INÖNÜ", "\u0131brahim \u0131nönü"),
    ("Łucja Żółć", "lucja zolc", "ŁUCJA ŻÓŁĆ", "Lucja\u3000Żo\u0301łc\u0301", "\u200eŁucja Żółć\u200f"),
    ("Jürgen Groß", "JÜRGEN GROSS", "Ju\u0308rgen Gross"),
    ("Nguyễn Thị Ánh", "Nguye\u0302\u0303n Thi\u0323 A\u0301nh", "nguyen thi anh"),
    ("Ολυμπία Παππάς", "ΟΛΥΜΠΙΑ ΠΑΠΠΑΣ"),
    ("Мар\u02bcяна Їжак", "МАР\u2019ЯНА ЇЖАК", "Мар'яна \u0406\u0308жак"),
    ("ნინო ბერიძე", "\u1c9c\u1c98\u1c9c\u1c9d \u1c91\u1c94\u1ca0\u1c98\u1cab\u1c94"),
    ("Søren Ærø", "SOREN AERO"),
    ("\ufb01lip Ｎｏｗａｋ", "Filip Nowak"),
    ("Anna D\u2019Arc", "Anna DArc"),
]  # fmt: skip
OTHER = [
    ("Anna Kowalska", "Anna Kowalsky"),
    ("Anna Kowalska-Nowak", "Anna Nowak"),
    ("Anna Kowalska-Nowak", "Anna Kowalska Nowak"),
    ("Анна Ковальская", "Anna Kowalskaja"),
    ("Anna Nowak", "Nowak Anna"),
    ("Anna Nowak", ""),
]


@pytest.mark.parametrize("names", SAME, ids=lambda names: names[0])
def test_one_name_however_it_is_written(names: tuple[str, ...]) -> None:
    forms = [unicodedata.normalize(form, name) for name in names for form in ("NFC", "NFD", "NFKC", "NFKD")]
    # An acute accent alone is a space with a mark to NFKD: no keyboard types that.
    assert {tuple(parts_of(name)) for name in (*names, *forms) if " \u0301" not in name} == {
        tuple(parts_of(names[0]))
    }


@pytest.mark.parametrize(("name", "other"), OTHER)
def test_another_name_is_another(name: str, other: str) -> None:
    assert parts_of(name) != parts_of(other)


# Passwords

LONG = "zażółć gęślą jaźń é\u00a0ü"
FORMS = [
    LONG,
    unicodedata.normalize("NFD", LONG),
    unicodedata.normalize("NFD", LONG).replace("\u00a0", "\u3000"),
    LONG.replace("\u00a0", " "),
    LONG.replace(" ", "\u2003"),
]


@pytest.mark.parametrize("typed", FORMS)
def test_a_password_is_one_whatever_keyboard_types_it(typed: str) -> None:
    assert prepared(typed) == "zażółć gęślą jaźń é ü"
    assert is_right(typed, make_password(prepared(LONG)))
    assert is_right(typed, make_password(typed))  # hashed as typed, before


@pytest.mark.parametrize("other", [LONG.upper(), LONG.replace("é", "e"), LONG + " ", LONG.replace("ź", "z")])
def test_nothing_else_of_it_is_one(other: str) -> None:
    assert not is_right(other, make_password(prepared(LONG)))


@pytest.mark.parametrize("typed", ["a long one with \0", "a long one \u2764\ufe0f", "a long one \u0378"])
def test_what_has_no_one_form_is_not_set_and_still_opens(typed: str) -> None:
    with pytest.raises(UnpreparedError):
        prepared(typed)
    assert is_right(typed, make_password(typed)) or "\0" in typed


@pytest.mark.parametrize("typed", [*FORMS, "plain words of old"])
def test_the_work_depends_on_what_was_typed_alone(typed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """For each attempt as many hashes as for nobody's, right, wrong, of old or not."""
    done: list[str] = []

    def check(one: str, encoded: str) -> bool:
        done.append(one)
        return one == encoded

    monkeypatch.setattr(hashing, "check_password", check)
    monkeypatch.setattr(hashing, "make_password", done.append)
    works = []
    for encoded in (prepared(typed), typed, "another"):
        is_right(typed, encoded)
        works.append(done.copy())
        done.clear()
    hash_in_vain(typed)
    assert works == [done] * 3


database = pytest.mark.django_db(transaction=True, databases="__all__")
ADDRESS = "anna@firma.example"


@pytest.fixture
def world(setup_connection: Connection) -> World:
    return World(setup_connection)


@pytest.fixture
def anna(world: World) -> Person:
    person = world.member("consultant", email=ADDRESS)
    give_factors(world, person)
    return person


def enter(password: str) -> tuple[Client, Any]:
    client = Client()
    return client, client.post(reverse("sign_in"), {"email": ADDRESS, "password": password})


@database
def test_one_set_on_one_keyboard_opens_on_another(anna: Person) -> None:
    address = invitations.path_of(invitations.invite(member(anna)))
    Client().post(address, {"password": FORMS[1], "again": FORMS[0]})
    for typed in FORMS:
        assert enter(typed)[1].status_code == 302
    assert enter(LONG.upper())[1].status_code == 200


@database
def test_one_of_old_opens_as_typed_and_is_hashed_anew(world: World, anna: Person) -> None:
    world.change("staff_member", anna.id, password=make_password(FORMS[1]))
    assert enter(FORMS[0])[1].status_code == 200  # nobody can know the one from the other yet
    client, answer = enter(FORMS[1])
    assert answer.status_code == 302
    kept = password_of(anna)
    assert check_password(prepared(LONG), kept)
    assert Entry.objects.get(changes__has_key="password").changes == {"password": ["", ""]}
    assert client.post(reverse("sign_in_code"), {"code": fresh_code(world, anna)}).status_code == 302
    for typed in FORMS:
        assert enter(typed)[1].status_code == 302
    assert password_of(anna) == kept
    assert Session.objects.filter(member_id=anna.id, ended_at__isnull=True).exists()


@database
def test_a_password_that_keyboards_write_differently_is_refused_with_its_reason(anna: Person) -> None:
    address = invitations.path_of(invitations.invite(member(anna)))
    answer = Client().post(address, {"password": "three quiet otters \u2764\ufe0f", "again": "x"})
    assert "not every keyboard writes alike" in answer.content.decode()


@pytest.mark.parametrize("name", UNREADABLE_NAMES)
def test_a_name_that_nobody_can_read_is_none(name: str) -> None:
    assert not is_readable(name)


@pytest.mark.parametrize("name", READABLE_NAMES)
def test_a_name_of_any_script_is_read(name: str) -> None:
    assert is_readable(name)


@pytest.mark.parametrize("name", UNSEEN_NAMES)
def test_what_shows_nothing_is_not_seen(name: str) -> None:
    assert not any(map(is_seen, name))
    assert all(map(is_seen, "\U0001f642王Я-1.\u0301"))


@pytest.mark.parametrize("text", ["zak", "ŻAK", "marek", "k-01", "193", "ek z", "Marek  Żak"])
def test_a_search_finds_a_member_by_a_piece_of_number_or_name(text: str) -> None:
    assert is_found_by(text, "K-0193", "Marek Żak")


@pytest.mark.parametrize("text", ["", " ", "\u200b", "zakk", "194", "'"])
def test_a_search_finds_nobody_by_what_is_not_theirs(text: str) -> None:
    assert not is_found_by(text, "K-0193", "Marek Żak")
