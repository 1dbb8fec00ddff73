"""Keys and ciphertexts: what opens, what does not, and what an error may say."""

from __future__ import annotations

import base64
import os

import pytest

from gatekeeper.gate.cipher import AccountCipher, CipherError
from staff.secrets.keyring import KeyRing, KeyRingError, ring

REFERENCE = "MOC-40000"


def entry(name: str) -> str:
    return f"{name}:{base64.b64encode(os.urandom(32)).decode()}"


def changed(data: bytes, place: int) -> bytes:
    return data[:place] + bytes((data[place] ^ 1,)) + data[place + 1 :]


class TestKeyRing:
    def test_first_seals_all_open(self) -> None:
        old, new = entry("2025"), entry("2026")
        sealed = KeyRing.parse(old).encrypt(b"secret", about="x")
        rotated = KeyRing.parse(f"{new},\n{old}\n")
        assert rotated.decrypt(sealed, about="x") == b"secret"
        assert rotated.key_id(sealed) == "2025"
        assert rotated.key_id(rotated.encrypt(b"", about="x")) == "2026"

    def test_gone_key_opens_nothing(self) -> None:
        sealed = KeyRing.parse(entry("old")).encrypt(b"secret", about="x")
        with pytest.raises(KeyRingError, match="no key 'old'"):
            KeyRing.parse(entry("new")).decrypt(sealed, about="x")

    def test_sealed_for_another_use(self) -> None:
        keys = KeyRing.parse(entry("a"))
        with pytest.raises(KeyRingError):
            keys.decrypt(keys.encrypt(b"secret", about="account MOC-1"), about="account MOC-2")

    def test_every_byte_counts(self) -> None:
        keys = KeyRing.parse(entry("a"))
        sealed = keys.encrypt(b"secret", about="x")
        for place in range(len(sealed)):
            with pytest.raises(KeyRingError):
                keys.decrypt(changed(sealed, place), about="x")

    @pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01\x05ab", b"\x02\x01a", b"\x01\x01a"])
    def test_cut_short(self, sealed: bytes) -> None:
        with pytest.raises(KeyRingError):
            KeyRing.parse(entry("a")).decrypt(sealed, about="x")

    def test_two_sealings_differ(self) -> None:
        keys = KeyRing.parse(entry("a"))
        assert keys.encrypt(b"same", about="x") != keys.encrypt(b"same", about="x")

    @pytest.mark.parametrize(
        "text",
        ["", " , ", "a", "a:", "a:c2hvcnQ=", "a b:x", f"{entry('a')},{entry('a')}", ":" + "A" * 44],
        # Named by place: a random key in a test's name is another test to each worker.
        ids=range(8),
    )
    def test_unreadable_rings_are_not_quoted(self, text: str) -> None:
        with pytest.raises(KeyRingError) as raised:
            KeyRing.parse(text)
        assert not any(part and part in str(raised.value) for part in text.split(":")[1:])

    def test_settings(self) -> None:
        assert ring() is ring()


class TestAccountCipher:
    @pytest.mark.parametrize("value", [None, True, 17, "Zażółć\n", {"b": [1, None], "a": "x"}, ""])
    def test_round_trip(self, value: object) -> None:
        cipher = AccountCipher.new(REFERENCE)
        again = AccountCipher.unwrap(REFERENCE, cipher.wrapped)
        assert again.decrypt("contact.name", cipher.encrypt("contact.name", value)) == value  # type: ignore[arg-type]

    def test_moved_to_another_field_or_account(self) -> None:
        one = AccountCipher.new(REFERENCE)
        sealed = one.encrypt("contact.name", "Jan")
        with pytest.raises(CipherError):
            one.decrypt("company.name", sealed)
        with pytest.raises(CipherError):
            AccountCipher.new(REFERENCE).decrypt("contact.name", sealed)
        with pytest.raises(CipherError):
            AccountCipher.unwrap("MOC-40001", one.wrapped)

    def test_every_byte_counts(self) -> None:
        cipher = AccountCipher.new(REFERENCE)
        sealed = cipher.encrypt("contact.name", "Jan")
        for place in range(len(sealed)):
            with pytest.raises(CipherError):
                cipher.decrypt("contact.name", changed(sealed, place))
        for length in range(len(sealed)):
            with pytest.raises(CipherError):
                cipher.decrypt("contact.name", sealed[:length])

    def test_ciphertext_knows_its_key(self) -> None:
        sealed = AccountCipher.new(REFERENCE).encrypt("contact.name", "Jan")
        assert sealed[:5] == b"\x01" + (1).to_bytes(4, "big")

    def test_digest(self) -> None:
        cipher = AccountCipher.new(REFERENCE)
        assert cipher.digest({"a": 1, "b": "ż"}) == cipher.digest({"b": "ż", "a": 1})
        assert cipher.digest({"a": 1}) != cipher.digest({"a": "1"})
        assert cipher.digest({"a": 1}) != AccountCipher.new(REFERENCE).digest({"a": 1})

    def test_index_finds_the_normalised_address_of_this_account_alone(self) -> None:
        cipher = AccountCipher.new(REFERENCE)
        assert cipher.index(" Jan@Example.COM") == cipher.index("jan@example.com")
        assert cipher.index("jan@example.com") != cipher.index("jan@example.org")
        assert cipher.index("jan@example.com") != AccountCipher.new(REFERENCE).index("jan@example.com")
