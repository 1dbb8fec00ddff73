-- As: gatekeeper_vault
-- Wants: an entry of an import that did not happen.
-- Verdict: refused
SELECT gatekeeper.record_import('accounts', true, '{"new": 1}', '', 'import_accounts (root)');
