-- People who sign in, their sessions, invitations, the keys of providers, single sign-on, mail and the audit trail.
--
-- A transaction sees what it can name, as with app.org_id and app.key_digest: app.user_id shows a person what is
-- theirs, app.email the account with that address, app.token (the digest of a secret that somebody presented) the one
-- row that it belongs to. app.system is for work that belongs to no organization: mail, signing keys, the operator.

CREATE FUNCTION acting_user() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(current_setting('app.user_id', true), '')::uuid;

CREATE FUNCTION presented_email() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(current_setting('app.email', true), '');

CREATE FUNCTION presented_token() RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN decode(NULLIF(current_setting('app.token', true), ''), 'hex');

CREATE FUNCTION is_system() RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN coalesce(current_setting('app.system', true) = 'on', false);

-- Organizations -----------------------------------------------------------------------------------------------------

-- Raised by every change after which what processes remember of the organization's keys is wrong.
ALTER TABLE organizations
    ADD COLUMN key_generation bigint NOT NULL DEFAULT 0,
    -- When all but the row itself and the audit trail was removed.
    ADD COLUMN purged_at timestamptz;

CREATE POLICY mine ON organizations FOR SELECT
    USING (EXISTS (SELECT FROM memberships WHERE org_id = organizations.id AND user_id = acting_user()));
CREATE POLICY system ON organizations USING (is_system());

CREATE POLICY mine ON memberships FOR SELECT USING (user_id = acting_user());
CREATE POLICY system ON memberships USING (is_system());

-- A live organization always has an owner. The lock makes two owners who leave at the same time wait for each other.
CREATE FUNCTION keep_an_owner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.role = 'owner' AND (TG_OP = 'DELETE' OR NEW.role <> 'owner') THEN
        PERFORM FROM organizations WHERE id = OLD.org_id AND deleted_at IS NULL FOR UPDATE;
        IF FOUND AND NOT EXISTS (
            SELECT FROM memberships WHERE org_id = OLD.org_id AND user_id <> OLD.user_id AND role = 'owner'
        ) THEN
            RAISE EXCEPTION 'an organization needs an owner' USING ERRCODE = 'HG001';
        END IF;
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END
$$;
CREATE TRIGGER keep_an_owner BEFORE UPDATE OR DELETE ON memberships
    FOR EACH ROW EXECUTE FUNCTION keep_an_owner();

CREATE TABLE invitations (
    id            uuid        PRIMARY KEY,
    org_id        uuid        NOT NULL REFERENCES organizations,
    email         text        NOT NULL CHECK (email = lower(email) AND char_length(email) BETWEEN 3 AND 320),
    role          text        NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
    token_digest  bytea       NOT NULL UNIQUE CHECK (octet_length(token_digest) = 32),
    invited_by    uuid        REFERENCES users,
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL,
    accepted_at   timestamptz,
    revoked_at    timestamptz
);
CREATE INDEX invitations_org ON invitations (org_id, created_at);
ALTER TABLE invitations ENABLE ROW LEVEL SECURITY;
ALTER TABLE invitations FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON invitations USING (org_id = current_org());
CREATE POLICY presented ON invitations FOR SELECT USING (token_digest = presented_token());

-- People ------------------------------------------------------------------------------------------------------------

ALTER TABLE users
    ADD COLUMN name text CHECK (char_length(name) BETWEEN 1 AND 200),
    ADD COLUMN email_verified_at timestamptz,
    ADD COLUMN password_changed_at timestamptz;

CREATE POLICY self ON users USING (id = acting_user());
CREATE POLICY presented ON users FOR SELECT USING (email = presented_email());
CREATE POLICY system ON users USING (is_system());

-- Who manages the instance itself.
CREATE TABLE operators (
    user_id     uuid        PRIMARY KEY REFERENCES users,
    created_at  timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE operators ENABLE ROW LEVEL SECURITY;
ALTER TABLE operators FORCE ROW LEVEL SECURITY;
CREATE POLICY self ON operators FOR SELECT USING (user_id = acting_user());
CREATE POLICY system ON operators USING (is_system());

-- Single-use secrets that were sent by mail.
CREATE TABLE user_tokens (
    digest      bytea       PRIMARY KEY CHECK (octet_length(digest) = 32),
    user_id     uuid        NOT NULL REFERENCES users,
    purpose     text        NOT NULL CHECK (purpose IN ('reset_password', 'verify_email')),
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz
);
CREATE INDEX user_tokens_user ON user_tokens (user_id);
ALTER TABLE user_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE user_tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY self ON user_tokens USING (user_id = acting_user());
CREATE POLICY presented ON user_tokens FOR SELECT USING (digest = presented_token());
CREATE POLICY system ON user_tokens USING (is_system());

-- A second factor. `sealed` is a sealed secret (see Identity/Vault); nothing is asked for until it is confirmed.
CREATE TABLE totp_devices (
    user_id         uuid        PRIMARY KEY REFERENCES users,
    sealed          bytea       NOT NULL,
    wrapped_key     bytea       NOT NULL,
    master_version  smallint    NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    confirmed_at    timestamptz,
    -- A code is good once: only later time steps count.
    last_step       bigint      NOT NULL DEFAULT 0
);
ALTER TABLE totp_devices ENABLE ROW LEVEL SECURITY;
ALTER TABLE totp_devices FORCE ROW LEVEL SECURITY;
CREATE POLICY self ON totp_devices USING (user_id = acting_user());
CREATE POLICY system ON totp_devices USING (is_system());

CREATE TABLE recovery_codes (
    user_id  uuid   NOT NULL REFERENCES users,
    digest   bytea  NOT NULL CHECK (octet_length(digest) = 32),
    used_at  timestamptz,
    PRIMARY KEY (user_id, digest)
);
ALTER TABLE recovery_codes ENABLE ROW LEVEL SECURITY;
ALTER TABLE recovery_codes FORCE ROW LEVEL SECURITY;
CREATE POLICY self ON recovery_codes USING (user_id = acting_user());

-- Sessions ----------------------------------------------------------------------------------------------------------

CREATE TABLE sso_connections (
    id              uuid        PRIMARY KEY,
    org_id          uuid        NOT NULL UNIQUE REFERENCES organizations,
    issuer          text        NOT NULL,
    client_id       text        NOT NULL,
    sealed          bytea       NOT NULL,
    wrapped_key     bytea       NOT NULL,
    master_version  smallint    NOT NULL,
    default_role    text        NOT NULL DEFAULT 'member' CHECK (default_role IN ('admin', 'member', 'viewer')),
    enforced        boolean     NOT NULL DEFAULT false,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE sso_connections ENABLE ROW LEVEL SECURITY;
ALTER TABLE sso_connections FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON sso_connections USING (org_id = current_org());
CREATE POLICY system ON sso_connections USING (is_system());

-- Who somebody is to an identity provider: the issuer and its name for the person, never the e-mail address.
CREATE TABLE sso_identities (
    org_id      uuid        NOT NULL REFERENCES organizations,
    issuer      text        NOT NULL,
    subject     text        NOT NULL,
    user_id     uuid        NOT NULL REFERENCES users,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, issuer, subject)
);
ALTER TABLE sso_identities ENABLE ROW LEVEL SECURITY;
ALTER TABLE sso_identities FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON sso_identities USING (org_id = current_org());

-- A sign-in that has gone to the identity provider and not come back.
CREATE TABLE sso_attempts (
    state_digest  bytea       PRIMARY KEY CHECK (octet_length(state_digest) = 32),
    org_id        uuid        NOT NULL REFERENCES organizations,
    expires_at    timestamptz NOT NULL
);
ALTER TABLE sso_attempts ENABLE ROW LEVEL SECURITY;
ALTER TABLE sso_attempts FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON sso_attempts USING (org_id = current_org());
CREATE POLICY presented ON sso_attempts USING (state_digest = presented_token());
CREATE POLICY system ON sso_attempts USING (is_system());

-- A sign-in and all that came of it. Where `cookie_digest` is set it is a browser's, otherwise refresh tokens carry it.
CREATE TABLE sessions (
    id             uuid        PRIMARY KEY,
    user_id        uuid        NOT NULL REFERENCES users,
    -- The organization that it works in now.
    org_id         uuid        NOT NULL REFERENCES organizations,
    cookie_digest  bytea       UNIQUE CHECK (octet_length(cookie_digest) = 32),
    -- Whoever came by single sign-on stays in that organization.
    by_sso         boolean     NOT NULL DEFAULT false,
    address        text,
    user_agent     text,
    created_at     timestamptz NOT NULL DEFAULT now(),
    last_used_at   timestamptz NOT NULL DEFAULT now(),
    expires_at     timestamptz NOT NULL,
    revoked_at     timestamptz
);
CREATE INDEX sessions_user ON sessions (user_id, created_at);
ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY self ON sessions USING (user_id = acting_user());
CREATE POLICY presented ON sessions FOR SELECT USING (cookie_digest = presented_token());
CREATE POLICY system ON sessions USING (is_system());

CREATE TABLE refresh_tokens (
    digest      bytea       PRIMARY KEY CHECK (octet_length(digest) = 32),
    session_id  uuid        NOT NULL REFERENCES sessions ON DELETE CASCADE,
    user_id     uuid        NOT NULL REFERENCES users,
    created_at  timestamptz NOT NULL DEFAULT now(),
    used_at     timestamptz
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);
ALTER TABLE refresh_tokens ENABLE ROW LEVEL SECURITY;
ALTER TABLE refresh_tokens FORCE ROW LEVEL SECURITY;
CREATE POLICY self ON refresh_tokens USING (user_id = acting_user());
CREATE POLICY presented ON refresh_tokens FOR SELECT USING (digest = presented_token());
CREATE POLICY system ON refresh_tokens USING (is_system());

-- Ed25519 keys under which access tokens are signed. The newest signs; all that are not retired verify.
CREATE TABLE signing_keys (
    -- The `kid`.
    id              uuid        PRIMARY KEY,
    public_key      bytea       NOT NULL CHECK (octet_length(public_key) = 32),
    sealed          bytea       NOT NULL,
    wrapped_key     bytea       NOT NULL,
    master_version  smallint    NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now(),
    retires_at      timestamptz
);
ALTER TABLE signing_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE signing_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON signing_keys USING (is_system());

-- API keys ----------------------------------------------------------------------------------------------------------

-- A member who is removed leaves their keys behind, revoked.
ALTER TABLE api_keys
    DROP CONSTRAINT api_keys_org_id_user_id_fkey,
    ADD CONSTRAINT api_keys_org FOREIGN KEY (org_id) REFERENCES organizations,
    ADD CONSTRAINT api_keys_user FOREIGN KEY (user_id) REFERENCES users,
    -- Of its own, below those of the organization: {"requests_per_minute": 60, …}.
    ADD COLUMN limits jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN last_used_at timestamptz,
    -- The key that this one replaces.
    ADD COLUMN rotated_from uuid;

-- Provider credentials ----------------------------------------------------------------------------------------------

-- Without an organization they are the operator's, for everybody.
CREATE TABLE provider_credentials (
    id              uuid        PRIMARY KEY,
    org_id          uuid        REFERENCES organizations,
    provider        text        NOT NULL CHECK (char_length(provider) BETWEEN 1 AND 64),
    name            text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    base_url        text,
    -- Gone when the URL was changed: a stored key is never sent anywhere else.
    sealed          bytea,
    wrapped_key     bytea,
    master_version  smallint,
    last_four       text        CHECK (char_length(last_four) <= 4),
    disabled_at     timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CHECK ((sealed IS NULL) = (wrapped_key IS NULL) AND (sealed IS NULL) = (master_version IS NULL))
);
CREATE INDEX provider_credentials_org ON provider_credentials (org_id, provider, created_at);
CREATE INDEX provider_credentials_version ON provider_credentials (master_version, id);
ALTER TABLE provider_credentials ENABLE ROW LEVEL SECURITY;
ALTER TABLE provider_credentials FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON provider_credentials USING (org_id = current_org());
CREATE POLICY system ON provider_credentials USING (is_system());

-- Mail --------------------------------------------------------------------------------------------------------------

-- What is to be sent. The text is sealed: it holds links that open accounts.
CREATE TABLE mail_outbox (
    id               uuid        PRIMARY KEY,
    recipient        text        NOT NULL,
    subject          text        NOT NULL,
    sealed           bytea,
    wrapped_key      bytea,
    master_version   smallint,
    created_at       timestamptz NOT NULL DEFAULT now(),
    attempts         integer     NOT NULL DEFAULT 0,
    next_attempt_at  timestamptz NOT NULL DEFAULT now(),
    last_error       text,
    sent_at          timestamptz,
    given_up_at      timestamptz
);
CREATE INDEX mail_outbox_due ON mail_outbox (next_attempt_at) WHERE sent_at IS NULL AND given_up_at IS NULL;
ALTER TABLE mail_outbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE mail_outbox FORCE ROW LEVEL SECURITY;
CREATE POLICY enqueue ON mail_outbox FOR INSERT WITH CHECK (true);
CREATE POLICY system ON mail_outbox USING (is_system());

-- Secrets of the instance that outlive a master key: the audit trail's, single sign-on's.
CREATE TABLE instance_secrets (
    name            text        PRIMARY KEY,
    id              uuid        NOT NULL,
    sealed          bytea       NOT NULL,
    wrapped_key     bytea       NOT NULL,
    master_version  smallint    NOT NULL,
    created_at      timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE instance_secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE instance_secrets FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON instance_secrets USING (is_system());

-- Audit -------------------------------------------------------------------------------------------------------------

-- One chain for each organization; the zero UUID is the instance's own. Each entry's `mac` is made under a key that the
-- database does not hold, over the entry and the `mac` before it.
CREATE TABLE audit_entries (
    org_id       uuid        NOT NULL,
    sequence     bigint      NOT NULL CHECK (sequence > 0),
    id           uuid        NOT NULL UNIQUE,
    at           timestamptz NOT NULL,
    actor_kind   text        NOT NULL CHECK (actor_kind IN ('session', 'key', 'sso', 'command', 'system')),
    actor_user   uuid,
    actor_key    uuid,
    address      text,
    request_id   text,
    action       text        NOT NULL,
    target_kind  text        NOT NULL,
    target_id    text        NOT NULL,
    before       text,
    after        text,
    mac          bytea       NOT NULL CHECK (octet_length(mac) = 32),
    PRIMARY KEY (org_id, sequence)
);
CREATE INDEX audit_entries_time ON audit_entries (org_id, at);
ALTER TABLE audit_entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_entries FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON audit_entries USING (org_id = current_org());
CREATE POLICY system ON audit_entries USING (is_system());

-- Where each chain ends, so that a chain cut short is noticed.
CREATE TABLE audit_heads (
    org_id    uuid    PRIMARY KEY,
    sequence  bigint  NOT NULL,
    mac       bytea   NOT NULL,
    -- Over both, under the key of the chain.
    seal      bytea   NOT NULL
);
ALTER TABLE audit_heads ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_heads FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON audit_heads USING (org_id = current_org());
CREATE POLICY system ON audit_heads USING (is_system());

-- The end of an organization that was deleted 30 days ago. The application may remove nothing else of the kind: this
-- runs with the rights of the owner, and looks at the date by itself.
CREATE FUNCTION purge_organization(organization uuid) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    PERFORM set_config('app.org_id', organization::text, true);
    UPDATE organizations SET name = 'deleted', purged_at = now()
        WHERE id = organization AND deleted_at < now() - interval '30 days' AND purged_at IS NULL;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM api_keys WHERE org_id = organization;
    DELETE FROM provider_credentials WHERE org_id = organization;
    DELETE FROM invitations WHERE org_id = organization;
    DELETE FROM sso_attempts WHERE org_id = organization;
    DELETE FROM sso_identities WHERE org_id = organization;
    DELETE FROM sso_connections WHERE org_id = organization;
    DELETE FROM memberships WHERE org_id = organization;
    RETURN true;
END
$$;
REVOKE EXECUTE ON FUNCTION purge_organization FROM PUBLIC;
GRANT EXECUTE ON FUNCTION purge_organization TO hivegate_app;

-- What the application may do. Audit entries can be added and read, nothing else.
GRANT SELECT, INSERT, UPDATE ON
    invitations, operators, user_tokens, totp_devices, recovery_codes, sso_connections, sso_identities, sso_attempts,
    sessions, refresh_tokens, signing_keys, provider_credentials, mail_outbox, instance_secrets, audit_heads
    TO hivegate_app;
GRANT DELETE ON
    operators, user_tokens, totp_devices, recovery_codes, sso_connections, sso_identities, sso_attempts, sessions,
    refresh_tokens, signing_keys, provider_credentials, mail_outbox
    TO hivegate_app;
GRANT SELECT, INSERT ON audit_entries TO hivegate_app;
