-- As: gatekeeper_web
-- Wants: today's budget gone with the days that tidying forgets.
-- Verdict: nothing
SET timezone = 'Pacific/Kiritimati';
SELECT gatekeeper.tidy();
