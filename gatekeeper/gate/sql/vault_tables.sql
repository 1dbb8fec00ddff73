-- The vault's tables. No model reaches them, no role that the application runs as may read them:
-- a value comes out of vault.release_view alone (gatekeeper/README.md, 'The boundary').

-- One row an account: its data key, wrapped under the key ring that the database never sees, and
-- its values. fields[i] names ciphertexts[i]. Erasing deletes the row, and with it the key.
CREATE TABLE vault.account (
    account_id   bigint PRIMARY KEY REFERENCES public.gatekeeper_account (id),
    wrapped_key  bytea NOT NULL,
    digest       bytea,  -- HMAC of the values under a key derived from the data key: equal is unchanged
    last_used_on date,   -- for the 180 days, which run
    contract_ended_on date,  -- once the contract is fulfilled
    restricted_at timestamptz,  -- Art. 18 as the platform says, and as our own command says:
    held_at      timestamptz,   -- no export lifts this one; the account shows either
    fields       text[] NOT NULL,
    ciphertexts  bytea[] NOT NULL,
    CHECK (cardinality(fields) = cardinality(ciphertexts))
);

-- One row a participant: the whole record is one ciphertext. Who objected is never shown.
CREATE TABLE vault.participant (
    account_id  bigint NOT NULL REFERENCES public.gatekeeper_account (id),
    number      integer NOT NULL CHECK (number > 0),
    digest      bytea NOT NULL,
    email_index bytea,  -- keyed blind index; dies with the data key
    objected    boolean NOT NULL DEFAULT false,
    ciphertext  bytea NOT NULL,
    PRIMARY KEY (account_id, number)
);
CREATE INDEX participant_email ON vault.participant (account_id, email_index);

-- Entries up to this one no longer count as the mark that the clock must not fall behind.
CREATE TABLE vault.clock (accepted_entry bigint NOT NULL, accepted_at timestamptz NOT NULL);
