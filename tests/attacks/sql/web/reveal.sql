-- As: gatekeeper_web
-- Wants: a view recorded and released on the pages' own connection.
-- Verdict: refused
CALL vault.reveal(:digest, '{"cid": "c-1"}'::jsonb, :account, :grant, ARRAY['contact.name'], false, NULL, NULL, NULL,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
