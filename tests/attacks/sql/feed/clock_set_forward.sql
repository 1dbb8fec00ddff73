-- As: gatekeeper_feed
-- Wants: a complete list of tomorrow, which closes what will be opened.
-- Verdict: refused: not in the future
SELECT gatekeeper.close_missing(ARRAY[:ticket], now() + interval '1 day', 'import_tickets (root)');
