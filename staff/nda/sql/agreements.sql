-- Agreements and signatures (staff/README.md, 'The agreement'): versions, who signed, the files that prove it. Each change is
-- recorded in the transaction that makes it; what ends with one in the rooms above, triggers of theirs end.
-- What ends with a signature is the right to access; the duty of secrecy goes on.

-- What was published, signed and filed stays as it was, whoever asks: also the owner, by a mistyped
-- UPDATE. A version may still be recalled, once; a signature be countersigned, confirmed and withdrawn,
-- each once; a file nothing at all. Not a definer function: it judges the rows, not who writes.
CREATE OR REPLACE FUNCTION staff.keep_document() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    once text[];  -- the columns that may be filled, from empty to something
    before jsonb;
    after jsonb;
BEGIN
    IF TG_OP = 'UPDATE' AND TG_TABLE_NAME <> 'staff_signaturefile' THEN
        once := CASE TG_TABLE_NAME WHEN 'staff_ndaversion' THEN ARRAY['recalled_at', 'recalled_by_id']
            ELSE ARRAY['counts_from', 'countersigned_at', 'countersigned_by_id', 'confirmed_at', 'confirmed_by_id',
                       'withdrawn_at', 'withdrawn_by_id', 'withdrawn_why'] END;
        before := to_jsonb(OLD);
        after := to_jsonb(NEW);
        IF before - once = after - once AND NOT EXISTS (SELECT FROM unnest(once) AS x (name)
                WHERE coalesce(before->>x.name, '') NOT IN ('', coalesce(after->>x.name, ''))) THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE insufficient_privilege USING MESSAGE = 'what was published, signed or filed stays as it was';
END $$;
CREATE OR REPLACE TRIGGER version_stays BEFORE UPDATE OR DELETE ON public.staff_ndaversion
    FOR EACH ROW EXECUTE FUNCTION staff.keep_document();
CREATE OR REPLACE TRIGGER version_no_truncate BEFORE TRUNCATE ON public.staff_ndaversion
    FOR EACH STATEMENT EXECUTE FUNCTION staff.keep_document();
CREATE OR REPLACE TRIGGER signature_stays BEFORE UPDATE OR DELETE ON public.staff_signature
    FOR EACH ROW EXECUTE FUNCTION staff.keep_document();
CREATE OR REPLACE TRIGGER signature_no_truncate BEFORE TRUNCATE ON public.staff_signature
    FOR EACH STATEMENT EXECUTE FUNCTION staff.keep_document();
CREATE OR REPLACE TRIGGER file_stays BEFORE UPDATE OR DELETE ON public.staff_signaturefile
    FOR EACH ROW EXECUTE FUNCTION staff.keep_document();
CREATE OR REPLACE TRIGGER file_no_truncate BEFORE TRUNCATE ON public.staff_signaturefile
    FOR EACH STATEMENT EXECUTE FUNCTION staff.keep_document();

-- A new version of the agreement, required from its effective moment on. Numbers and moments only grow:
-- what an old signature is worth must not change afterwards. An officer's version is required from now
-- on at the earliest; a command's may be an older one, taken over. The database hashes both texts.
-- Returns the reason, empty when done.
CREATE OR REPLACE FUNCTION staff.add_version(
    p_judged jsonb, p_context jsonb, p_number int, p_effective_at timestamptz, p_term_days int, p_grace_days int,
    p_countersigned boolean, p_text_en text, p_text_pl text) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    j jsonb := p_judged;
    effective timestamptz := p_effective_at;
    hash_en bytea := sha256(convert_to(p_text_en, 'UTF8'));
    hash_pl bytea := sha256(convert_to(p_text_pl, 'UTF8'));
BEGIN
    IF NOT j ? 'source' AND effective > clock_timestamp() - interval '1 minute' THEN
        effective := greatest(effective, clock_timestamp());
    END IF;
    -- Two who publish at once would each see the other's version not yet there.
    LOCK TABLE public.staff_ndaversion IN SHARE ROW EXCLUSIVE MODE;
    PERFORM staff.lock_line(false);
    IF j->>'reason' = '' AND ((p_number > 0 AND p_term_days BETWEEN 1 AND 3650 AND p_grace_days BETWEEN 0 AND 365
            AND p_countersigned IS NOT NULL AND isfinite(effective) AND (j ? 'source' OR effective >= clock_timestamp() - interval '1 minute')
            AND p_text_en ~ '\S' AND p_text_pl ~ '\S' AND greatest(length(p_text_en), length(p_text_pl)) <= 100000
            ) IS NOT TRUE OR EXISTS (SELECT FROM public.staff_ndaversion v
                WHERE v.number >= p_number OR (v.effective_at >= effective AND v.recalled_at IS NULL))) THEN
        j := j || '{"reason": "value_refused"}';
    END IF;
    IF j->>'reason' = '' THEN
        INSERT INTO public.staff_ndaversion (number, effective_at, term_days, grace_days, published_by_id, published_at,
            countersigned, text_en, text_pl, sha256_en, sha256_pl)
        VALUES (p_number, effective, p_term_days, p_grace_days, (j->>'actor_id')::bigint, clock_timestamp(),
            p_countersigned, p_text_en, p_text_pl, hash_en, hash_pl);
    END IF;
    RETURN staff.record_act('change', j, p_context, jsonb_build_object('nda_version', p_number,
        'effective_at', effective, 'term_days', p_term_days, 'grace_days', p_grace_days, 'countersigned', p_countersigned,
        'sha256_en', encode(hash_en, 'hex'), 'sha256_pl', encode(hash_pl, 'hex')));
END $$;

CREATE OR REPLACE FUNCTION staff.publish_nda_version(p_digest bytea, p_context jsonb, p_number int, p_effective_at timestamptz,
    p_term_days int, p_grace_days int, p_countersigned boolean, p_text_en text, p_text_pl text) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT staff.add_version(staff.authorize_officer(p_digest, 'people', NULL), p_context,
        p_number, p_effective_at, p_term_days, p_grace_days, p_countersigned, p_text_en, p_text_pl)
$$;

-- Takes a version back that nobody is required to have signed yet.
CREATE OR REPLACE FUNCTION staff.recall_nda_version(p_digest bytea, p_context jsonb, p_number int) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    j jsonb := staff.authorize_officer(p_digest, 'people', NULL);
    v public.staff_ndaversion;
BEGIN
    IF j->>'reason' = '' THEN
        SELECT x.* INTO v FROM public.staff_ndaversion x WHERE x.number = p_number FOR NO KEY UPDATE;
        j := j || jsonb_build_object('reason', CASE
            WHEN v.recalled_at IS NOT NULL THEN 'no_change'
            WHEN (v.effective_at > clock_timestamp()) IS NOT TRUE THEN 'value_refused' ELSE '' END);
    END IF;
    IF j->>'reason' = '' THEN
        UPDATE public.staff_ndaversion x SET recalled_at = clock_timestamp(), recalled_by_id = (j->>'actor_id')::bigint
        WHERE x.number = p_number;
    END IF;
    RETURN staff.record_act('change', j, p_context, jsonb_build_object('nda_version', p_number, 'recalled', true));
END $$;

-- Puts down a signature that was judged, and its file, and records it. It is valid to the end of the day
-- on which its term runs out; without a version it is a founder's, 7 days, once, by command alone. It
-- counts from p_counts_from; while that is NULL it waits for a second person. The entry's facts of the
-- NDA are the actor's own; the subject's appear in the details.
CREATE OR REPLACE FUNCTION staff.add_signature(
    p_judged jsonb, p_context jsonb, p_version int, p_form text, p_language text, p_signed_at timestamptz,
    p_counts_from timestamptz, p_evidence jsonb, p_pdf bytea, OUT signature bigint, OUT reason text)
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    j jsonb := p_judged;
    founding boolean := p_version IS NULL AND p_form = 'founding' AND j ? 'source';
    ends timestamptz;
    hash bytea := sha256(p_pdf);
BEGIN
    IF founding THEN
        ends := p_signed_at + interval '7 days';
    ELSE
        SELECT audit.end_of_day((p_signed_at AT TIME ZONE audit.limit_of('time_zone'))::date + v.term_days) INTO ends
        FROM public.staff_ndaversion v WHERE v.number = p_version AND v.recalled_at IS NULL AND p_form <> 'founding';
    END IF;
    IF j->>'reason' = '' AND ((p_signed_at <= clock_timestamp() AND ends > clock_timestamp()) IS NOT TRUE
            OR (NOT founding AND (octet_length(p_pdf) <= 10485760 AND position('%PDF-'::bytea IN substring(p_pdf FROM 1 FOR 1029)) > 0
                AND jsonb_typeof(p_evidence) = 'object') IS NOT TRUE)
            OR (founding AND EXISTS (SELECT FROM public.staff_signature s WHERE s.member_id = (j->>'subject_id')::bigint))) THEN
        j := j || '{"reason": "value_refused"}';
    END IF;
    IF j->>'reason' = '' THEN
        INSERT INTO public.staff_signature AS s (member_id, version_id, form, language, signed_at, counts_from, valid_until,
            evidence, entered_by_id, entered_at, withdrawn_why)
        VALUES ((j->>'subject_id')::bigint, p_version, p_form, p_language, p_signed_at, p_counts_from, ends,
            p_evidence, (j->>'actor_id')::bigint, clock_timestamp(), '') RETURNING s.id INTO signature;
        IF NOT founding THEN
            INSERT INTO public.staff_signaturefile (signature_id, kind, data, sha256, added_at)
            VALUES (signature, CASE p_form WHEN 'documentary' THEN 'signed' ELSE 'uploaded' END, p_pdf, hash, clock_timestamp());
        END IF;
    END IF;
    reason := staff.record_act('sign', j, p_context, jsonb_build_object('signature', signature, 'version', p_version,
        'form', p_form, 'signed_at', p_signed_at, 'valid_until', ends, 'counts', p_counts_from IS NOT NULL, 'sha256', encode(hash, 'hex')));
END $$;

-- A member signs in the application, also before the first day. The evidence has to say what the database
-- knows by itself: whose, in which session, by which proof, which version and text. It counts at once,
-- unless it waits for a second person (staff.waits_for_second); p_waits says whether the file leaves room for that person's. One signature a
-- version: a second is taken in its last 30 days alone.
CREATE OR REPLACE FUNCTION staff.sign_nda(
    p_digest bytea, p_context jsonb, p_version int, p_language text, p_signed_at timestamptz, p_evidence jsonb, p_pdf bytea,
    p_waits boolean, OUT signature bigint, OUT reason text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    d record;
    j jsonb;
    at timestamptz;
    v public.staff_ndaversion;
    waits boolean;
BEGIN
    SELECT x.* INTO d FROM staff.authorize(p_digest, 'sign') x;
    at := clock_timestamp();
    SELECT x.* INTO v FROM public.staff_ndaversion x WHERE x.number = p_version AND x.recalled_at IS NULL;
    waits := staff.waits_for_second(d.actor_id, v.number);
    j := jsonb_strip_nulls(to_jsonb(d)) || jsonb_build_object('subject', coalesce(d.member, ''), 'subject_id', d.actor_id,
        'reason', coalesce(d.reason, CASE
            WHEN (p_language IN ('en', 'pl') AND p_waits = waits AND abs(extract(epoch FROM at - p_signed_at)) <= 60
                -- The version required now, or one to come: of an older one a signature is worth nothing.
                AND NOT EXISTS (SELECT FROM public.staff_ndaversion x WHERE x.effective_at > v.effective_at
                                AND x.effective_at <= at AND x.recalled_at IS NULL)
                AND p_evidence->>'number' = d.member AND p_evidence->>'name' = d.member_name
                AND p_evidence->>'session' = d.session::text AND p_evidence->>'method' = d.factor
                AND p_evidence->>'version' = p_version::text AND p_evidence->>'language' = p_language
                AND p_evidence->>'sha256' = encode(CASE p_language WHEN 'pl' THEN v.sha256_pl ELSE v.sha256_en END, 'hex')
                AND (p_evidence->>'signed_at')::timestamptz = p_signed_at) IS NOT TRUE THEN 'value_refused'
            WHEN staff.has_signed(d.actor_id, p_version, at) THEN 'no_change'
            ELSE '' END));
    SELECT x.signature, x.reason INTO sign_nda.signature, sign_nda.reason
    FROM staff.add_signature(j, p_context, p_version, 'documentary', p_language, least(p_signed_at, at),
        CASE WHEN NOT waits THEN at END, p_evidence, p_pdf) x;
END $$;

-- A people officer countersigns another's signature. The file must hold the signed one unchanged, as its
-- beginning: a countersignature is added, nothing is exchanged. An expired NDA does not keep the officer
-- from it, for somebody has to be the first.
CREATE OR REPLACE FUNCTION staff.countersign(p_digest bytea, p_context jsonb, p_signature bigint, p_pdf bytea) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    j jsonb := staff.judge_signature(p_digest, 'countersign', p_signature);
    s public.staff_signature;
    signed bytea;
    at timestamptz := clock_timestamp();  -- both locks are held
BEGIN
    SELECT x.* INTO s FROM public.staff_signature x WHERE x.id = p_signature;
    SELECT f.data INTO signed FROM public.staff_signaturefile f WHERE f.signature_id = p_signature AND f.kind = 'signed';
    IF j->>'reason' = '' THEN
        j := j || jsonb_build_object('reason', CASE
            WHEN s.counts_from IS NOT NULL OR s.withdrawn_at IS NOT NULL THEN 'no_change'
            WHEN (s.form = 'documentary' AND s.valid_until > clock_timestamp() AND octet_length(p_pdf) > octet_length(signed)
                AND octet_length(p_pdf) <= 10485760 AND substring(p_pdf FROM 1 FOR octet_length(signed)) = signed) IS NOT TRUE
                THEN 'value_refused' ELSE '' END);
    END IF;
    IF j->>'reason' = '' THEN
        UPDATE public.staff_signature x SET countersigned_at = at, countersigned_by_id = (j->>'actor_id')::bigint,
            counts_from = at WHERE x.id = p_signature;
        INSERT INTO public.staff_signaturefile (signature_id, kind, data, sha256, added_at)
        VALUES (p_signature, 'countersigned', p_pdf, sha256(p_pdf), clock_timestamp());
    END IF;
    RETURN staff.record_act('sign', j, p_context, jsonb_build_object('signature', p_signature, 'version', s.version_id,
        'countersigned', true, 'sha256', encode(sha256(p_pdf), 'hex')));
END $$;

-- A people officer files a PDF that another signed elsewhere. An electronic signature counts at once when
-- its verdict, which appears in the evidence, is good; a scan waits until a second person has seen the
-- paper. The same file is filed once.
CREATE OR REPLACE FUNCTION staff.upload_signature(
    p_digest bytea, p_context jsonb, p_number text, p_version int, p_form text, p_signed_at timestamptz, p_evidence jsonb,
    p_pdf bytea, OUT signature bigint, OUT reason text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    j jsonb := staff.authorize_officer(p_digest, 'people', coalesce(p_number, ''));
    electronic boolean := p_form IN ('electronic', 'qualified');
BEGIN
    IF j->>'reason' = '' THEN
        j := j || jsonb_build_object('reason', CASE
            WHEN (p_form = 'paper' OR (electronic AND p_evidence->'ok' = 'true' AND p_evidence->>'kind' = p_form)) IS NOT TRUE
                THEN 'value_refused'
            WHEN EXISTS (SELECT FROM public.staff_signature s JOIN public.staff_signaturefile f ON f.signature_id = s.id
                WHERE s.member_id = (j->>'subject_id')::bigint AND s.withdrawn_at IS NULL AND f.sha256 = sha256(p_pdf))
                THEN 'no_change' ELSE '' END);
    END IF;
    SELECT x.signature, x.reason INTO upload_signature.signature, upload_signature.reason
    FROM staff.add_signature(j, p_context, p_version, p_form, '', p_signed_at,
        CASE WHEN electronic THEN clock_timestamp() END, p_evidence, p_pdf) x;
END $$;

-- A second people officer, or an administrator, has seen the document: not the one concerned, nor who filed it.
-- Whoever filed it still keeps members, or it is withdrawn and another files it again.
CREATE OR REPLACE FUNCTION staff.confirm_original(p_digest bytea, p_context jsonb, p_signature bigint) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    j jsonb;
    s public.staff_signature;
    at timestamptz;
BEGIN
    SELECT x.* INTO s FROM public.staff_signature x WHERE x.id = p_signature;
    -- Who filed it too, before the others are judged: all members in one order.
    PERFORM staff.lock_members(ARRAY[s.member_id],
        ARRAY[s.entered_by_id, (SELECT x.member_id FROM public.staff_session x WHERE x.digest = p_digest)]);
    j := staff.judge_signature(p_digest, 'confirm', p_signature);
    at := clock_timestamp();  -- all locks are held
    SELECT x.* INTO s FROM public.staff_signature x WHERE x.id = p_signature;
    IF j->>'reason' = '' THEN
        j := j || jsonb_build_object('reason', CASE
            WHEN s.counts_from IS NOT NULL OR s.withdrawn_at IS NOT NULL THEN 'no_change'
            WHEN (s.form = 'paper' AND s.valid_until > clock_timestamp()) IS NOT TRUE THEN 'value_refused'
            WHEN staff.still_may(s.entered_by_id, 'people') IS NOT TRUE THEN 'filer_gone'
            WHEN s.entered_by_id = (j->>'actor_id')::bigint THEN 'second_person' ELSE '' END);
    END IF;
    IF j->>'reason' = '' THEN
        UPDATE public.staff_signature x SET confirmed_at = at, confirmed_by_id = (j->>'actor_id')::bigint,
            counts_from = at WHERE x.id = p_signature;
    END IF;
    RETURN staff.record_act('sign', j, p_context, jsonb_build_object('signature', p_signature, 'version', s.version_id,
        'confirmed', true));
END $$;

-- A people officer withdraws another's signature and says why, by a code; the grants that rest on it end
-- by trigger. It says nothing of the duty of secrecy, which goes on.
CREATE OR REPLACE FUNCTION staff.withdraw_signature(p_digest bytea, p_context jsonb, p_signature bigint, p_why text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    j jsonb := staff.judge_signature(p_digest, 'people', p_signature);
    known boolean := p_signature IS NOT NULL AND p_why IN ('revoked', 'declared', 'invalid');
BEGIN
    IF j->>'reason' = '' AND known IS NOT TRUE THEN
        j := j || '{"reason": "value_refused"}';
    ELSIF j->>'reason' = '' THEN
        UPDATE public.staff_signature s SET withdrawn_at = clock_timestamp(), withdrawn_by_id = (j->>'actor_id')::bigint,
            withdrawn_why = p_why WHERE s.id = p_signature AND s.withdrawn_at IS NULL;
        IF NOT FOUND THEN j := j || '{"reason": "no_change"}'; END IF;
    END IF;
    RETURN staff.record_act('sign', j, p_context, jsonb_build_object('signature', p_signature, 'withdrawn', true,
        'why', CASE WHEN known THEN p_why END));
END $$;

-- Judges an officer's act on another's signature; the row is locked after both members (the one order). NULL is a
-- form that names none: who asks is judged all the same, and the act refuses it.
CREATE OR REPLACE FUNCTION staff.judge_signature(p_digest bytea, p_act text, p_signature bigint) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    j jsonb;
BEGIN
    j := staff.authorize_officer(p_digest, p_act, CASE WHEN p_signature IS NOT NULL THEN coalesce((SELECT m.number
        FROM public.staff_signature s JOIN public.staff_member m ON m.id = s.member_id WHERE s.id = p_signature), '') END);
    PERFORM FROM public.staff_signature s WHERE s.id = p_signature FOR NO KEY UPDATE;
    RETURN j;
END $$;

-- Gives a signature's newest file, and records it: to the member whose it is, also when nothing is in
-- force any more, or to a people officer, who passes a step-up again (an export). Whoever is neither is
-- told the same of a file that is there and of one that is not.
CREATE OR REPLACE FUNCTION staff.take_file(p_digest bytea, p_context jsonb, p_signature bigint, OUT data bytea, OUT reason text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    j jsonb;
    own boolean := EXISTS (SELECT FROM public.staff_signature s JOIN public.staff_session x ON x.member_id = s.member_id
                           WHERE s.id = p_signature AND x.digest = p_digest);
    f public.staff_signaturefile;
BEGIN
    IF own THEN
        SELECT jsonb_strip_nulls(to_jsonb(d)) || jsonb_build_object('subject', coalesce(d.member, ''),
            'reason', CASE WHEN d.reason = 'mfa_stale' THEN '' ELSE coalesce(d.reason, '') END) INTO j
        FROM staff.authorize(p_digest, 'sign') d;
    ELSE
        j := staff.judge_taking(p_digest) || jsonb_build_object('subject', coalesce((SELECT m.number
            FROM public.staff_signature s JOIN public.staff_member m ON m.id = s.member_id WHERE s.id = p_signature), ''));
    END IF;
    SELECT x.* INTO f FROM public.staff_signaturefile x WHERE x.signature_id = p_signature ORDER BY x.id DESC LIMIT 1;
    IF j->>'reason' = '' AND f.id IS NULL THEN
        j := j || '{"reason": "signature_unknown"}';
    END IF;
    reason := staff.record_act('export', j, p_context, jsonb_build_object('signature', p_signature, 'file', f.id,
        'sha256', encode(f.sha256, 'hex')));
    data := CASE WHEN reason = '' THEN f.data END;
END $$;

-- Whether a people officer may export documents now: an export asks for a step-up as fresh as
-- a signature does.
CREATE OR REPLACE FUNCTION staff.judge_taking(p_digest bytea) RETURNS jsonb
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    j jsonb := staff.authorize_officer(p_digest, 'people', NULL);
BEGIN
    IF j->>'reason' = '' AND NOT EXISTS (SELECT FROM public.staff_session s, staff.limits l
            WHERE s.digest = p_digest AND clock_timestamp() < s.verified_at + l.factor_signing) THEN
        j := j || '{"reason": "mfa_stale"}';
    END IF;
    RETURN j;
END $$;

-- Records that a people officer takes a register out as a file; of no day there is none. Returns the reason, empty
-- when allowed.
CREATE OR REPLACE FUNCTION staff.record_register(p_digest bytea, p_context jsonb, p_register text, p_on date, p_rows int) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
    SELECT staff.record_act('export', j.judged || CASE WHEN j.judged->>'reason' = '' AND p_on IS NULL
            THEN '{"reason": "value_refused"}'::jsonb ELSE '{}' END, p_context,
        jsonb_build_object('register', left(p_register, 20), 'on', p_on, 'rows', p_rows))
    FROM (SELECT staff.judge_taking(p_digest) AS judged) j
$$;

REVOKE ALL ON FUNCTION staff.keep_document(),
    staff.add_version(jsonb, jsonb, int, timestamptz, int, int, boolean, text, text),
    staff.publish_nda_version(bytea, jsonb, int, timestamptz, int, int, boolean, text, text),
    staff.recall_nda_version(bytea, jsonb, int),
    staff.add_signature(jsonb, jsonb, int, text, text, timestamptz, timestamptz, jsonb, bytea),
    staff.sign_nda(bytea, jsonb, int, text, timestamptz, jsonb, bytea, boolean),
    staff.countersign(bytea, jsonb, bigint, bytea),
    staff.upload_signature(bytea, jsonb, text, int, text, timestamptz, jsonb, bytea),
    staff.confirm_original(bytea, jsonb, bigint), staff.withdraw_signature(bytea, jsonb, bigint, text),
    staff.judge_signature(bytea, text, bigint), staff.take_file(bytea, jsonb, bigint), staff.judge_taking(bytea),
    staff.record_register(bytea, jsonb, text, date, int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    staff.publish_nda_version(bytea, jsonb, int, timestamptz, int, int, boolean, text, text),
    staff.recall_nda_version(bytea, jsonb, int),
    staff.sign_nda(bytea, jsonb, int, text, timestamptz, jsonb, bytea, boolean),
    staff.countersign(bytea, jsonb, bigint, bytea),
    staff.upload_signature(bytea, jsonb, text, int, text, timestamptz, jsonb, bytea),
    staff.confirm_original(bytea, jsonb, bigint), staff.withdraw_signature(bytea, jsonb, bigint, text),
    staff.take_file(bytea, jsonb, bigint), staff.record_register(bytea, jsonb, text, date, int) TO gatekeeper_web;
