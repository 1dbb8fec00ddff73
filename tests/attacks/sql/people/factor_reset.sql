-- As: gatekeeper_people
-- Wants: a member without second factors.
-- Verdict: refused
SELECT staff.forget_factors(:member);
