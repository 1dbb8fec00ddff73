-- As: gatekeeper_people
-- Wants: a change that sees members as they were.
-- Verdict: refused: READ COMMITTED only
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT staff.invite_by_command(:number, sha256('mine'), 24, 'invite (root)');
