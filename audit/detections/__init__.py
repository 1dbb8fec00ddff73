"""What is flagged in the log: named rules, each in words, and the entries to which one applies. No score.

A rule's words are data (audit/detections/known.py, and what else `settings.DETECTION_RULES` names); its
thresholds are numbers that `settings.DETECTION_THRESHOLDS` may change. The database judges
(gatekeeper/reviews/sql/detections.sql), and keeps a Flag for each entry and rule.
"""

from __future__ import annotations

from audit.detections.catalogue import rule, rules, words
from audit.detections.known import Rule

__all__ = ["Rule", "rule", "rules", "words"]
