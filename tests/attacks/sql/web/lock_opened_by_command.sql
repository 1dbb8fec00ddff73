-- As: gatekeeper_web
-- Wants: the counts of failed sign-ins forgotten, as if by a command.
-- Verdict: refused
SELECT staff.open_lock(:number, 'x', 'open_lock (root)');
