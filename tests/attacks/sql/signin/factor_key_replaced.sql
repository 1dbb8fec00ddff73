-- As: gatekeeper_signin
-- Wants: a key of one's own under somebody's factor in use.
-- Verdict: refused: changes with its entry alone
UPDATE public.staff_totpdevice SET encrypted_key = '\x00' WHERE user_id = :manager;
