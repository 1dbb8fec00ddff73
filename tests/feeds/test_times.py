"""Times as real systems write them: each is one moment, or none, with the rule that it breaks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatekeeper.feeds.times import FIRST, LAST, FeedTimeError, read_moment

NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        "2024-01-01T00:00:00Z",
        "2024-01-01t00:00:00z",
        "2024-01-01T00:00Z",  # Java leaves the seconds out when there are none
        "2024-01-01T00:00:00.0000000Z",  # .NET
        "2024-01-01T01:00:00.0000000+01:00",
        "2024-01-01T00:00:00.000000000Z",  # Java's Instant
        "2024-01-01T00:00:00.000+0000",  # Jira
        "2024-01-01T05:30:00.000+0530",
        "2024-01-01T00:00:00,000Z",
        "2024-01-01T01:00+01:00[Europe/Warsaw]",  # Java's ZonedDateTime
        "2024-01-01T00:00:00Z[UTC]",
        "2024-01-01 00:00:00 UTC",  # Ruby
        "2024-01-01 01:00:00 +0100",
        "2024-01-01 01:00:00 +0100 CET",  # Go
        "2024-01-01 00:00:00.000000000 +0000 UTC",
        "2024-01-01 00:00:00+00",  # PostgreSQL
        "2024-01-01 02:00:00+02:00",  # Python
        "2023-12-31T24:00:00Z",
        "20240101T000000Z",
        "20240101000000Z",  # LDAP
        "Mon, 01 Jan 2024 00:00:00 GMT",  # HTTP
        "1 Jan 2024 01:00:00 +0100 (CET)",
        "Mon Jan 01 2024 01:00:00 GMT+0100 (Central European Standard Time)",  # JavaScript
        "/Date(1704067200000)/",
        "/Date(1704067200000+0100)/",
        1704067200,
        1704067200.0,
        1704067200000,
        1704067200000000,
        1704067200000000000,
        "1704067200",
        "1704067200000",
        " 2024-01-01T00:00:00Z ",
        "2023-12-31T23:00:00\u221201:00",
    ],
)
def test_taken(written: object) -> None:
    assert read_moment(written) == NEW_YEAR


def test_finer_than_a_microsecond_is_cut_and_keeps_the_order() -> None:
    earlier, later = (
        read_moment("2024-01-01T00:00:00.672717030Z"),
        read_moment("2024-01-01T00:00:00.6727181Z"),
    )
    assert earlier == NEW_YEAR + timedelta(microseconds=672717)
    assert earlier < later
    assert read_moment("2024-01-01T00:00:00.9999999Z") < NEW_YEAR + timedelta(seconds=1)
    assert read_moment("1704067200.5") == NEW_YEAR + timedelta(seconds=0.5)
    assert read_moment("2024-06-30T23:59:60Z") == datetime(2024, 6, 30, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "rule"),
    [
        ("0001-01-01T00:00:00Z", "time_low"),  # .NET's 'not set'
        ("0001-01-01T00:00:00+02:00", "time_low"),
        ("0000-00-00 00:00:00 UTC", "time_low"),  # MySQL's
        ("1601-01-01T00:00:00Z", "time_low"),
        ("1753-01-01T00:00:00Z", "time_low"),
        ("1899-12-30T00:00:00Z", "time_low"),
        ("1900-01-01T00:00:00.000+0000", "time_low"),
        ("1970-01-01T00:00:00Z", "time_low"),
        ("/Date(-62135596800000)/", "time_low"),
        (0, "time_low"),
        ("0", "time_low"),
        ("9999-12-31T23:59:59.9999999Z", "time_high"),
        ("9999-12-31T23:59:59-02:00", "time_high"),
        ("2999-01-01T00:00:00Z", "time_high"),
        ("99999-01-01T00:00:00Z", "time_form"),
        ("2024-01-01T00:00:00", "time_form"),  # whose?
        ("2024-01-01 00:00:00", "time_form"),
        ("2024-01-01T00:00:00 CST", "time_form"),  # of Chicago or of Shanghai
        ("2024-01-01", "time_form"),
        ("2024-13-01T00:00:00Z", "time_form"),
        ("2024-02-30T00:00:00Z", "time_form"),
        ("2024-01-01T25:00:00Z", "time_form"),
        ("2024-01-01T24:00:01Z", "time_form"),
        ("2024-01-01T00:00:00+99:00", "time_form"),
        ("2024-01-01T00:00:00+19:00", "time_form"),
        ("2024-01-01T00:00:00+00:60", "time_form"),
        ("2024-01-01T00:00:00-0199", "time_form"),
        ("01/02/2024 00:00:00 UTC", "time_form"),
        ("yesterday", "time_form"),
        ("", "time_form"),
        ("\ud83d", "time_form"),
        ("\u0662\u0660\u0662\u0664-01-01T00:00:00Z", "time_form"),
        (20240101000000, "time_form"),
        (float("inf"), "time_form"),
        (float("nan"), "time_form"),
        (1e300, "time_form"),
        (10**30, "time_form"),
        (True, "time_form"),
        (None, "time_form"),
        ([], "time_form"),
        ("1" * 100_000, "time_form"),
    ],
)
def test_refused(written: object, rule: str) -> None:
    with pytest.raises(FeedTimeError) as refused:
        read_moment(written)
    assert refused.value.rule == rule


@settings(deadline=None)
@given(
    st.datetimes(FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None) - timedelta(days=1)),
    st.integers(-12 * 4, 14 * 4),
)
def test_every_moment_in_every_form(naive: datetime, quarters: int) -> None:
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=15 * quarters)))
    if moment < FIRST:
        return
    assert read_moment(moment.isoformat()) == moment
    assert read_moment(str(moment)) == moment
    assert read_moment(f"{naive:%Y-%m-%dT%H:%M:%S.%f}789{moment:%z}") == moment
    whole = moment.replace(microsecond=0)
    assert read_moment(int(whole.timestamp())) == read_moment(int(whole.timestamp()) * 1000) == whole


@settings(deadline=None)
@given(st.one_of(st.text(), st.integers(), st.floats(), st.binary(), st.booleans()))
def test_nothing_else_ends_it(value: object) -> None:
    rules = {"time_form", "time_low", "time_high"}
    try:
        moment = read_moment(value)
    except FeedTimeError as refused:
        moment = FIRST
        rules.remove(refused.rule)
    assert FIRST <= moment < LAST
    assert len(rules) >= 2


def test_a_number_beyond_all_bounds() -> None:
    with pytest.raises(FeedTimeError):
        read_moment(10**5000)
