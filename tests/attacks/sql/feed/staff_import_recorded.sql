-- As: gatekeeper_feed
-- Wants: an entry of an import of members.
-- Verdict: refused: no feed has such an import
SELECT gatekeeper.record_import('staff', true, '{"new": 1}', '', 'import_staff (root)');
