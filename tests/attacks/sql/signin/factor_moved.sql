-- As: gatekeeper_signin
-- Wants: a factor of one's own, in use, to be another member's.
-- Verdict: refused: changes with its entry alone
UPDATE public.staff_totpdevice SET user_id = :manager WHERE user_id = :member;
