-- As: gatekeeper_web
-- Wants: the participants of an account.
-- Verdict: refused
SELECT * FROM vault.participant;
