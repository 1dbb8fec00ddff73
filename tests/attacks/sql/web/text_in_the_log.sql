-- As: gatekeeper_web
-- Wants: a typed text in the log for ever, in the entry of a refusal.
-- Verdict: nothing: ('?',)
SELECT gatekeeper.read_log(sha256('mine'), '{"cid": "c-1"}'::jsonb, '{"query": "Aldona, ul. Próbna 1"}');
SELECT e.details->>'query' FROM public.audit_entry e WHERE e.event = 'search' ORDER BY e.id DESC LIMIT 1;
