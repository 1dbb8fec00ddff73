-- As: gatekeeper_people
-- Wants: a suspension lifted, by what the functions are made of.
-- Verdict: refused
SELECT staff.apply_change(:member, NULL, 'suspended', 'false');
