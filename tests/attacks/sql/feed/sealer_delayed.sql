-- As: gatekeeper_feed
-- Wants: the sealer to wait for ever.
-- Verdict: refused
SELECT audit.lock_seal();
