-- As: gatekeeper_web
-- Wants: a doubt about what is held that is forgotten.
-- Verdict: refused
SELECT vault.settle('tickets', now(), 'import_tickets (root)');
