-- As: gatekeeper_people
-- Wants: an entry of an import of accounts.
-- Verdict: refused
SELECT vault.record_import('accounts', true, '{}', '', 'import_accounts (root)');
