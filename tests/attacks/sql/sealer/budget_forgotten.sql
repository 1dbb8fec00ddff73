-- As: gatekeeper_sealer
-- Wants: accounts that were seen today and count no more.
-- Verdict: refused
DELETE FROM public.gatekeeper_dailyaccount WHERE member_id = :member;
