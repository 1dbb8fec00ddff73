-- As: gatekeeper_people
-- Wants: an entry of a command that did not run.
-- Verdict: refused
SELECT staff.record_act('change', '{"reason": ""}', '{}', '{}');
