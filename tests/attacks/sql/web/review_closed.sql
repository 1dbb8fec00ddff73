-- As: gatekeeper_web
-- Wants: a review that is decided, without a reviewer.
-- Verdict: refused
UPDATE public.gatekeeper_review SET state = 'in_order', closed_at = now();
