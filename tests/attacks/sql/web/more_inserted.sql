-- As: gatekeeper_web
-- Wants: one more budget of the day that nobody approved.
-- Verdict: refused
INSERT INTO public.gatekeeper_moretoday (member_id, day, requested_at, state, decided_at, decided_by_id)
VALUES (:member, current_date, now(), 'approved', now(), :manager);
