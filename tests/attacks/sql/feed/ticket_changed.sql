-- As: gatekeeper_feed
-- Wants: a ticket changed past the function that records it.
-- Verdict: refused
UPDATE public.gatekeeper_ticket SET assignee_id = :member;
