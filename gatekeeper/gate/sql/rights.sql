-- What each role may do with the tables; gatekeeper/README.md has the same as a table, and a test compares them with
-- the catalogue. What stands nowhere is nobody's (revoked.sql).

-- Where a role has anything at all. The vault is for who stores and who releases; the pages never enter it.
GRANT USAGE ON SCHEMA audit TO gatekeeper_web, gatekeeper_watch, gatekeeper_sealer;
GRANT USAGE ON SCHEMA staff TO gatekeeper_web, gatekeeper_signin, gatekeeper_people;
GRANT USAGE ON SCHEMA gatekeeper TO gatekeeper_web, gatekeeper_feed, gatekeeper_watch;
GRANT USAGE ON SCHEMA vault TO gatekeeper_feed, gatekeeper_vault;
GRANT USAGE ON SCHEMA public TO gatekeeper_web, gatekeeper_signin, gatekeeper_feed, gatekeeper_watch,
    gatekeeper_people, gatekeeper_sealer;

-- Pages: what is not personal may be read; of sessions all but what opens one, of members all but what their
-- passwords are judged by.
GRANT SELECT ON public.django_content_type, public.auth_permission, public.auth_group,
    public.auth_group_permissions, public.django_migrations, public.audit_limit,
    public.gatekeeper_account, public.gatekeeper_accountpermission, public.gatekeeper_ticket,
    public.gatekeeper_assignment, public.gatekeeper_feed,
    public.gatekeeper_accessrequest, public.gatekeeper_grant, public.gatekeeper_deputy,
    public.gatekeeper_dailybudget, public.gatekeeper_dailyaccount, public.gatekeeper_moretoday,
    public.staff_proposal, public.staff_recovery, public.staff_ndadraft, public.staff_ndaversion, public.staff_signature,
    public.staff_signaturefile, public.staff_reminder, public.staff_authorisation, public.audit_entry TO gatekeeper_web;
GRANT SELECT (id, last_login, password_mark, number, name, email, roles, manager_id, language, theme, starts_on, left_on,
    suspended_at, suspended_by_id, suspended_until, email_changed_by_id, email_changed_at, created_at)
    ON public.staff_member TO gatekeeper_web;
GRANT SELECT (id, member_id, started_at, last_seen_at, verified_at, factor, ended_at, remote_addr, user_agent)
    ON public.staff_session TO gatekeeper_web;
-- What was installed, for the page of checks.
GRANT SELECT ON audit.installation TO gatekeeper_web;
-- What they may write by themselves: what a page says next, drafts, a member's own settings, ordinary entries.
GRANT SELECT, INSERT, UPDATE ON public.staff_sessionnotes TO gatekeeper_web;
GRANT INSERT, UPDATE, DELETE ON public.staff_ndadraft TO gatekeeper_web;
GRANT INSERT ON public.staff_reminder TO gatekeeper_web;
GRANT INSERT, SELECT, UPDATE (tries, next_at), DELETE ON public.staff_mail TO gatekeeper_web;
GRANT UPDATE (language, theme) ON public.staff_member TO gatekeeper_web;
GRANT INSERT ON public.audit_entry TO gatekeeper_web;

-- Signing in: members' factors, passwords and links, each with its entry (staff.require_entry), and the counts
-- of attempts. Whose a passkey is, and its key, never change; nor does a recovery code, but that it is used.
GRANT SELECT ON public.django_content_type, public.audit_limit, public.staff_member, public.staff_totpdevice,
    public.staff_recoverydevice, public.staff_recoverycode, public.staff_invitation,
    public.django_otp_webauthn_webauthncredential, public.django_otp_webauthn_webauthnattestation,
    public.django_otp_webauthn_webauthnuserhandle, public.staff_attemptcount TO gatekeeper_signin;
GRANT SELECT (id, member_id, verified_at, remote_addr) ON public.staff_session TO gatekeeper_signin;
GRANT SELECT (id) ON public.audit_entry, public.staff_mail TO gatekeeper_signin;  -- of the one it has just inserted
GRANT INSERT ON public.staff_mail TO gatekeeper_signin;
GRANT INSERT ON public.audit_entry, public.staff_invitation, public.staff_totpdevice, public.staff_recoverydevice,
    public.staff_recoverycode, public.django_otp_webauthn_webauthncredential,
    public.django_otp_webauthn_webauthnuserhandle, public.staff_attemptcount TO gatekeeper_signin;
GRANT UPDATE ON public.staff_totpdevice, public.staff_recoverydevice TO gatekeeper_signin;
GRANT UPDATE (attempts, last_at) ON public.staff_attemptcount TO gatekeeper_signin;
GRANT UPDATE (expires_at, used_at) ON public.staff_invitation TO gatekeeper_signin;
GRANT UPDATE (used_at) ON public.staff_recoverycode TO gatekeeper_signin;
GRANT UPDATE (name, sign_count, backup_state, last_used_at) ON public.django_otp_webauthn_webauthncredential
    TO gatekeeper_signin;
GRANT UPDATE (password, last_login) ON public.staff_member TO gatekeeper_signin;
GRANT DELETE ON public.staff_totpdevice, public.staff_recoverydevice, public.staff_recoverycode,
    public.django_otp_webauthn_webauthncredential,
    public.django_otp_webauthn_webauthnattestation,  -- none is kept, but deleting a passkey looks for one
    public.staff_attemptcount TO gatekeeper_signin;

-- Closing is always allowed: the trigger ends the grants and records it.
GRANT DELETE ON public.gatekeeper_accountpermission TO gatekeeper_web;
-- Whoever reads the log may see and prove what was sealed.
GRANT SELECT ON public.audit_leaf, public.audit_node, public.audit_checkpoint, public.audit_era, public.audit_copy,
    public.audit_logkey, public.audit_entry_id_seq TO gatekeeper_web, gatekeeper_sealer;
-- What is flagged in the log, how far the rules have read it, and how far it has gone to a SIEM.
GRANT SELECT ON public.audit_flag, public.audit_round, public.audit_stream TO gatekeeper_web;
GRANT SELECT ON public.gatekeeper_draw, public.gatekeeper_review, public.gatekeeper_remark TO gatekeeper_web;
-- The sealer reads the log, and adds to the tree.
GRANT SELECT ON public.audit_entry TO gatekeeper_sealer;
GRANT INSERT ON public.audit_leaf, public.audit_node, public.audit_checkpoint TO gatekeeper_sealer;
GRANT INSERT, UPDATE, DELETE ON public.audit_copy TO gatekeeper_sealer;

-- Members by command: all that it writes goes through functions (staff/directory/sql/commands.sql). By an e-mail the
-- counts of failed sign-ins know their member.
GRANT SELECT (id, number, email, language) ON public.staff_member TO gatekeeper_people;

-- Feeds: all that they write goes through functions (store.sql, tickets.sql, deliveries.sql). They read of
-- accounts and tickets what a complete list is compared with.
GRANT SELECT (id, reference, participants, erased_at) ON public.gatekeeper_account TO gatekeeper_feed;
GRANT SELECT (id, number, state, updated_at) ON public.gatekeeper_ticket TO gatekeeper_feed;

-- Watching: the rules run by a function (gatekeeper.judge), which writes what they find; the stream reads what it
-- sends, members' numbers and no names, and where it stands.
GRANT SELECT ON public.audit_leaf, public.audit_checkpoint, public.audit_stream TO gatekeeper_watch;
GRANT SELECT (id, "timestamp", event, outcome, reason, failed, answers, member, role, session, factor, source, cid,
    remote_addr, user_agent, account, subject, ticket, ticket_kind, ticket_state, purpose, categories, fields, records,
    results, request_id, grant_id, approver, signature, nda_version, nda_ends, consent, details, object_pk, changes,
    schema_version) ON public.audit_entry TO gatekeeper_watch;
