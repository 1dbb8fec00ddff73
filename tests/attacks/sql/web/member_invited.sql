-- As: gatekeeper_web
-- Wants: a one-time link of one's own making for the manager.
-- Verdict: refused
SELECT staff.invite_by_command('K-1001', sha256('mine'), 24, 'invite (root)');
