-- What a change of second factors means for the sessions that the earlier ones verified.

-- When a factor of a member's is added or removed, by whatever path, no session of theirs counts as
-- verified any more: it would be as sure as a factor that is gone, or as one that a thief put there.
-- A key that waits for its first code is no factor yet. The sheet of recovery codes is no
-- factor to keep: its pages end the sessions themselves. A definer function, because the deletion may be
-- anybody's, and it must not depend on what they may do to sessions.
CREATE OR REPLACE FUNCTION staff.forget_proofs() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NOT NEW.confirmed OR TG_OP = 'DELETE' AND NOT OLD.confirmed
        OR TG_OP = 'UPDATE' AND (NEW.confirmed, NEW.user_id) = (OLD.confirmed, OLD.user_id) THEN
        RETURN NULL;
    END IF;
    UPDATE public.staff_session x SET verified_at = NULL
    WHERE x.member_id IN (OLD.user_id, NEW.user_id) AND x.ended_at IS NULL AND x.verified_at IS NOT NULL;
    RETURN NULL;
END $$;
CREATE OR REPLACE TRIGGER factor_forgets_proofs
    AFTER INSERT OR DELETE OR UPDATE OF confirmed, user_id ON public.staff_totpdevice
    FOR EACH ROW EXECUTE FUNCTION staff.forget_proofs();
CREATE OR REPLACE TRIGGER factor_forgets_proofs
    AFTER INSERT OR DELETE OR UPDATE OF confirmed, user_id ON public.django_otp_webauthn_webauthncredential
    FOR EACH ROW EXECUTE FUNCTION staff.forget_proofs();

-- Signing in changes these with an entry alone (staff.require_entry, staff/session/sql/sessions.sql); the owner's
-- functions record by themselves. A key that waits for its first code, and a sheet that is not yet kept, are
-- no factors.
CREATE CONSTRAINT TRIGGER factor_begun_is_recorded AFTER INSERT ON public.staff_totpdevice DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (current_user = 'gatekeeper_signin' AND NEW.confirmed) EXECUTE FUNCTION staff.require_entry();
CREATE CONSTRAINT TRIGGER factor_is_recorded AFTER UPDATE OF confirmed, user_id, encrypted_key ON public.staff_totpdevice
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (current_user = 'gatekeeper_signin' AND (OLD.confirmed OR NEW.confirmed)) EXECUTE FUNCTION staff.require_entry();
CREATE CONSTRAINT TRIGGER factor_removed_is_recorded AFTER DELETE ON public.staff_totpdevice
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (current_user = 'gatekeeper_signin' AND OLD.confirmed) EXECUTE FUNCTION staff.require_entry();
CREATE CONSTRAINT TRIGGER passkey_is_recorded AFTER INSERT OR DELETE ON public.django_otp_webauthn_webauthncredential
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (current_user = 'gatekeeper_signin') EXECUTE FUNCTION staff.require_entry();
CREATE CONSTRAINT TRIGGER sheet_begun_is_recorded AFTER INSERT ON public.staff_recoverydevice
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (current_user = 'gatekeeper_signin' AND NEW.confirmed) EXECUTE FUNCTION staff.require_entry();
CREATE CONSTRAINT TRIGGER sheet_is_recorded AFTER UPDATE OF confirmed, user_id ON public.staff_recoverydevice
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (current_user = 'gatekeeper_signin' AND (OLD.confirmed OR NEW.confirmed)) EXECUTE FUNCTION staff.require_entry();
CREATE CONSTRAINT TRIGGER sheet_removed_is_recorded AFTER DELETE ON public.staff_recoverydevice
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (current_user = 'gatekeeper_signin' AND OLD.confirmed) EXECUTE FUNCTION staff.require_entry();
CREATE CONSTRAINT TRIGGER code_is_recorded AFTER INSERT OR DELETE ON public.staff_recoverycode
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (current_user = 'gatekeeper_signin') EXECUTE FUNCTION staff.require_entry();
CREATE CONSTRAINT TRIGGER code_used_is_recorded AFTER UPDATE OF used_at ON public.staff_recoverycode
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (current_user = 'gatekeeper_signin') EXECUTE FUNCTION staff.require_entry();
CREATE CONSTRAINT TRIGGER password_is_recorded AFTER UPDATE OF password ON public.staff_member
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (current_user = 'gatekeeper_signin' AND OLD.password IS DISTINCT FROM NEW.password)
    EXECUTE FUNCTION staff.require_entry();
CREATE CONSTRAINT TRIGGER link_is_recorded AFTER INSERT OR UPDATE ON public.staff_invitation
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (current_user = 'gatekeeper_signin') EXECUTE FUNCTION staff.require_entry();

REVOKE ALL ON FUNCTION staff.forget_proofs() FROM PUBLIC;
