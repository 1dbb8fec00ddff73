-- Everything is taken away first, and the files that follow give what they say: a right that is no longer
-- written there is gone.
REVOKE ALL ON ALL TABLES IN SCHEMA public, audit, staff, gatekeeper, vault FROM PUBLIC, gatekeeper_web, gatekeeper_signin,
    gatekeeper_feed, gatekeeper_vault, gatekeeper_watch, gatekeeper_people, gatekeeper_sealer;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public, audit, staff, gatekeeper, vault FROM PUBLIC, gatekeeper_web, gatekeeper_signin,
    gatekeeper_feed, gatekeeper_vault, gatekeeper_watch, gatekeeper_people, gatekeeper_sealer;
REVOKE ALL ON ALL ROUTINES IN SCHEMA public, audit, staff, gatekeeper, vault FROM PUBLIC, gatekeeper_web, gatekeeper_signin,
    gatekeeper_feed, gatekeeper_vault, gatekeeper_watch, gatekeeper_people, gatekeeper_sealer;
REVOKE ALL ON SCHEMA public, audit, staff, gatekeeper, vault FROM PUBLIC, gatekeeper_web, gatekeeper_signin,
    gatekeeper_feed, gatekeeper_vault, gatekeeper_watch, gatekeeper_people, gatekeeper_sealer;
ALTER DEFAULT PRIVILEGES FOR ROLE gatekeeper_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
