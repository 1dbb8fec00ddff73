-- As: gatekeeper_web
-- Wants: a doubt about what is held that is forgotten.
-- Verdict: refused
SELECT gatekeeper.settle('tickets', now(), 'import_tickets (root)');
