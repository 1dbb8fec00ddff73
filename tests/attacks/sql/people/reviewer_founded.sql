-- As: gatekeeper_people
-- Wants: a reviewer whom nobody has confirmed.
-- Verdict: nothing: value_refused
SELECT staff.found_member('K-9999', 'Nobody', 'no@firma.example', 'reviewer', 'bootstrap (root)');
