-- As: gatekeeper_feed
-- Wants: a window that stays open for ever.
-- Verdict: refused
UPDATE public.gatekeeper_grant SET window_ends_at = 'infinity' WHERE id = :grant;
