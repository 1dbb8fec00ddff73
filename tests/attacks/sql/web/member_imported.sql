-- As: gatekeeper_web
-- Wants: members with roles of one's choice.
-- Verdict: refused
SELECT staff.apply_members('[{"number": "K-9999", "name": "Nobody", "email": "no@firma.example", "roles": ["people"]}]', 'import_staff (root)');
