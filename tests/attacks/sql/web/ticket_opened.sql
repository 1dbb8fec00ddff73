-- As: gatekeeper_web
-- Wants: a closed ticket that is open again.
-- Verdict: refused
UPDATE public.gatekeeper_ticket SET state = 'open', closed_at = NULL;
