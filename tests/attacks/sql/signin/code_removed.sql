-- As: gatekeeper_signin
-- Wants: somebody's recovery codes gone from their sheet, and no entry of it.
-- Verdict: refused: changes with its entry alone
DELETE FROM public.staff_recoverycode;
