"""A customer's report over a log that is sealed."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from gatekeeper.reports import report as reading
from gatekeeper.reports.report import read
from gatekeeper.reports.scope import Scope
from tests.world.log import Log
from tests.world.scene import REFERENCE

WARSAW = ZoneInfo("Europe/Warsaw")


def sealed_report(log: Log, *, participant: int | None = None, **span: datetime) -> reading.Report:
    at = timezone.now()
    day = timedelta(days=1)
    since, until = span.get("since", at - day), span.get("until", at + day)
    return read(Scope((REFERENCE,), participant, since, until, WARSAW), at=at)
