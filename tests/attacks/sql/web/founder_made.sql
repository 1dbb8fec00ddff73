-- As: gatekeeper_web
-- Wants: a people officer whom nobody has confirmed.
-- Verdict: refused
SELECT staff.found_member('K-9999', 'Nobody', 'no@firma.example', 'people', 'bootstrap (root)');
