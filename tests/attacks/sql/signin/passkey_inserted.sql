-- As: gatekeeper_signin
-- Wants: a passkey of one's own in use, without its entry.
-- Verdict: refused: changes with its entry alone
INSERT INTO public.django_otp_webauthn_webauthncredential (user_id, name, confirmed, created_at, credential_type,
    credential_id, credential_id_sha256, public_key, transports, sign_count, backup_eligible, backup_state, aaguid)
VALUES (:manager, 'mine', true, now(), 'public-key', '\x00', 'mine', '\x00', '[]', 0, false, false, 'mine');
