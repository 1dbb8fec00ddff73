-- As: gatekeeper_people
-- Wants: an entry of an import of accounts.
-- Verdict: refused
SELECT gatekeeper.record_import('accounts', true, '{}', '', 'import_accounts (root)');
