-- As: gatekeeper_web
-- Wants: a message of the helpdesk that counts as a replay.
-- Verdict: refused
INSERT INTO public.gatekeeper_delivery (source, webhook_id, received_at) VALUES ('helpdesk', 'msg_1', now());
