"""Every limit, named once: what it is for, its default, its unit and its bounds.

Its name in small letters is its key in `settings.LIMITS` and, where SQL decides by it, in the database.
"""

from __future__ import annotations

from typing import Final

from gatekeeper.installation.setting import Limit

LIMITS: Final = (
    # Sessions
    Limit("SESSION_IDLE_MINUTES", "A session without activity ends", default="15", unit="minutes", most=1440),
    Limit("SESSION_HOURS", "A session ends in all events", default="12", unit="hours", most=24),
    Limit(
        "FACTOR_MINUTES",
        "Age at which the second factor is asked again",
        default="30",
        unit="minutes",
        most=1440,
    ),
    Limit(
        "FACTOR_MINUTES_SIGNING",
        "The same, before a signature or an export",
        default="5",
        unit="minutes",
        most=60,
    ),
    # The gate
    Limit("RELEASE_SECONDS", "Age of an entry that still releases", default="60", unit="seconds", most=3600),
    Limit(
        "TICKET_FEED_MAX_AGE_MINUTES",
        "So long after the last contact with the helpdesk the gate closes; 0: not required",
        default="60",
        unit="minutes",
        least=0,
        most=10_080,
        formerly="TICKET_FEED_MAX_AGE",
    ),
    Limit("REQUEST_HOURS", "A request nobody decides expires", default="8", unit="hours", most=168),
    Limit("START_HOURS", "An approval nobody opens expires", default="8", unit="hours", most=168),
    Limit("STRETCH_DAYS", "Longest approval for an open ticket", default="5", unit="days", most=30),
    # People
    Limit("DEPUTY_DAYS", "For how many days a deputy is named at most", default="30", unit="days", most=366),
    Limit(
        "SUSPENSION_HOURS",
        "How long one person's suspension holds of somebody above them, or of one of the last two of a role",
        default="4",
        unit="hours",
        most=168,
    ),
    Limit(
        "SUSPENSION_REPEAT_DAYS",
        "So long the same person does not repeat such a suspension alone",
        default="30",
        unit="days",
        most=366,
    ),
    # How much is seen
    Limit(
        "PARTICIPANTS_PER_GRANT",
        "Participants one grant shows",
        default="200",
        unit="participants",
        most=100_000,
    ),
    Limit("VIEWS_PER_GRANT", "Reveals under one grant", default="500", unit="reveals", most=999_999),
    Limit(
        "ACCOUNTS_PER_DAY",
        "Different accounts of which one member sees anything in a day, over all grants. Of the days of"
        " a generated year's consultants (tests/README.md) one in 1000 reached 18, and none more than 26",
        default="30",
        unit="accounts",
        most=10_000,
    ),
    Limit(
        "FIELDS_PER_DAY",
        "Different fields of accounts that one member sees in a day; the same again counts once. Of the same"
        " days one in 1000 reached 71, and none more than 101",
        default="120",
        unit="fields",
        most=100_000,
    ),
    Limit(
        "MORE_PER_DAY",
        "How often in a day managers can add as much again for one member who asks: three days' work in one"
        " is an incident, and what is beyond it is for a colleague",
        default="2",
        unit="times",
        most=20,
    ),
    # The log and its reviews
    Limit(
        "LOG_RETENTION_DAYS",
        "Age from which `manage.py retain_log` may take entries' bodies",
        default="1826",
        unit="days",
        most=36_525,
    ),
    Limit(
        "REVIEW_SAMPLE_PERCENT",
        "How many of a week's accesses are drawn for review",
        default="5",
        unit="percent",
        most=100,
    ),
    Limit(
        "REVIEW_WEEKLY_CAP",
        "At most so many are drawn for each reviewer and week",
        default="20",
        unit="accesses",
        most=1000,
    ),
    Limit(
        "REVIEW_DUE_DAYS", "A review is due so long after it was queued", default="7", unit="days", most=90
    ),
    Limit(
        "REVIEW_ALARM_DAYS",
        "A review that waits longer is an alarm",
        default="14",
        unit="days",
        most=366,
        in_database=False,
    ),
)
