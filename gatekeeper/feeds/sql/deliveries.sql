-- Takes a message's identifier: 'new', 'replayed' where this very message came before, or 'another' where
-- another one came under it. A second delivery waits here until the first one's transaction has ended.
CREATE OR REPLACE FUNCTION gatekeeper.take_delivery(p_source text, p_webhook text, p_digest text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    INSERT INTO public.gatekeeper_delivery (source, webhook_id, digest, received_at)
    VALUES (p_source, p_webhook, p_digest, clock_timestamp()) ON CONFLICT (source, webhook_id) DO NOTHING;
    IF FOUND THEN
        RETURN 'new';
    END IF;
    -- Of those that came before digests were kept nothing else is known.
    RETURN (SELECT CASE WHEN x.digest IN ('', p_digest) THEN 'replayed' ELSE 'another' END
        FROM public.gatekeeper_delivery x WHERE x.source = p_source AND x.webhook_id = p_webhook);
END $$;

REVOKE ALL ON FUNCTION gatekeeper.take_delivery(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION gatekeeper.take_delivery(text, text, text) TO gatekeeper_feed;
