-- As: gatekeeper_people
-- Wants: the consultant turned into a people officer.
-- Verdict: nothing: value_refused
SELECT staff.found_member(:number, 'Nobody', 'no@firma.example', 'people', 'bootstrap (root)');
