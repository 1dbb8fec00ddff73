-- As: gatekeeper_web
-- Wants: a stream of the pages' own.
-- Verdict: refused
SELECT audit.begin_stream('https://attacker.example/in', 'attack');
