"""The nets for words of the wrong language catch what they are for, and let data through."""

from __future__ import annotations

import pytest

from tests.shipped.words import alike, foreign, read

PAGE = """<html lang="pl"><head><title>Strona</title><style>p {}</style></head><body>
<p title="A hint">Każde wyświetlenie, 12:03</p><p lang="en">In English on purpose</p>
<code>GET /the/address</code><span class="id">MOC-48213</span><textarea>The words typed</textarea>
<img alt="Obraz"><p>Po obrazie</p></body></html>"""


def test_a_page_says_its_texts_and_attributes_but_no_code_and_nothing_marked_as_foreign() -> None:
    page = read(PAGE)
    assert page.language == "pl"
    assert page.said == ["Strona", "A hint", "Każde wyświetlenie, 00:00", "Obraz", "Po obrazie"]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("pl", "Skip to main content"),  # a whole sentence of ours
        ("pl", "Enter a whole number."),  # one of Django's
        ("pl", "1 request to decide"),  # one with a number in it
        ("pl", "Somebody forgot that this is marked nowhere"),  # one of no catalogue
        ("en", "Przejdź do głównej treści"),
    ],
)
def test_a_sentence_of_the_other_language_is_found(language: str, text: str) -> None:
    assert list(foreign(language, read(f"<html lang='{language}'><p>{text}</p></html>").said)) != []


@pytest.mark.parametrize("text", ["Marek Żak", "MOC-48213", "anna.nowak@example.com", "PDF"])
def test_data_are_of_no_language(text: str) -> None:
    for language in ("en", "pl"):
        assert list(foreign(language, [text])) == []


def test_what_both_languages_say_alike_is_found_unless_it_is_data() -> None:
    same = ["Unmarked words", "Marek Żak", "MOC-00000", "Gatekeeper"]
    assert list(alike(same, same)) == ["Unmarked words"]
