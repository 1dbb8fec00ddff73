-- As: gatekeeper_sealer
-- Wants: one more budget of the day, past the pages.
-- Verdict: refused
UPDATE public.gatekeeper_moretoday SET state = 'approved', decided_by_id = :manager WHERE member_id = :member;
