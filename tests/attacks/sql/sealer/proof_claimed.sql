-- As: gatekeeper_sealer
-- Wants: an entry of a proof of what has no seal, under an account's name.
-- Verdict: refused: a proof is of sealed entries of one account
SELECT audit.note_proof(ARRAY[:entry]::bigint[], 'prove (root)');
