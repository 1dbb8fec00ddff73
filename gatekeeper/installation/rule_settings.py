"""Settings of several words: thresholds of rules, hours of teams, states of tickets."""

from __future__ import annotations

import re
from zoneinfo import available_timezones

from audit import references
from gatekeeper.installation.reader import Reader


class RuleSettings(Reader):
    """Settings of several words: thresholds of rules, hours of teams, states of tickets."""

    def detection_thresholds(self) -> dict[str, dict[str, int]]:
        """Return rules' thresholds, by rule and name; whether there are such, a check says."""
        found: dict[str, dict[str, int]] = {}
        for part in self.names("DETECTION_THRESHOLDS"):
            named = re.fullmatch(r"([a-z_]{1,24})\.([a-z_]{1,24})=([0-9]{1,6})", part)
            if named is None:
                raise self.refusal("DETECTION_THRESHOLDS", "is not of the form rule.threshold=number")
            found.setdefault(named[1], {})[named[2]] = int(named[3])
        return found

    def team_hours(self) -> dict[str, str]:
        """Return the working hours of teams, by the number of who leads them (or of one member)."""
        found: dict[str, str] = {}
        for part in self.names("TEAM_HOURS"):
            named = re.fullmatch(
                rf"({references.MEMBER})"
                r"=([0-9]{1,2})-([0-9]{1,2}) ([1-7])-([1-7]) ([A-Za-z_/+-]{2,40})",
                part,
            )
            if named is None or max(int(named[2]), int(named[3])) > 24 or named[4] > named[5]:
                raise self.refusal("TEAM_HOURS", "is not of the form K-0020=6-22 1-7 Europe/Warsaw")
            if named[6] not in available_timezones():
                raise self.refusal("TEAM_HOURS", "names a time zone that there is not")
            found[named[1]] = part.partition("=")[2]
        return found

    def ticket_states(self) -> dict[str, str]:
        """Return what the helpdesk's own words for states mean, by the word as it is compared."""
        found: dict[str, str] = {}
        for part in self.names("TICKET_STATES"):
            own, equals, means = part.rpartition("=")
            own, means = " ".join(own.casefold().split()), means.strip().casefold()
            if not (own and equals and means in {"open", "pending", "solved", "closed"}):
                raise self.refusal("TICKET_STATES", "is not of the form word=open, pending, solved or closed")
            if found.setdefault(own, means) != means:
                raise self.refusal("TICKET_STATES", "gives one word two meanings")
        return found
