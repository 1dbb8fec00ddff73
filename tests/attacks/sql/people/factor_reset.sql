-- As: gatekeeper_people
-- Wants: a member without second factors.
-- Verdict: refused
SELECT vault.forget_factors(:member);
