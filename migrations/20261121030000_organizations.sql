-- Organizations, the people in them, and their API keys.
--
-- The program works as hivegate_app, which owns nothing and cannot bypass row-level security. It says which
-- organization it works for with `SET LOCAL app.org_id`; without that it sees no row. A key is found by its digest
-- before the organization is known, so one more policy shows exactly the row whose digest the caller names.

DO $$
BEGIN
    CREATE ROLE hivegate_app NOLOGIN NOSUPERUSER NOBYPASSRLS;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        NULL; -- Roles belong to the whole server; another database's migration was first.
END
$$;

DO $$
BEGIN
    -- The login that migrates may act as the application, so one DATABASE_URL is enough for a small installation.
    EXECUTE format('GRANT hivegate_app TO %I', current_user);
EXCEPTION
    WHEN unique_violation OR internal_error THEN
        NULL; -- Granted at this moment by another database's migration.
END
$$;

CREATE FUNCTION current_org() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN NULLIF(current_setting('app.org_id', true), '')::uuid;

CREATE TABLE organizations (
    id          uuid        PRIMARY KEY,
    name        text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    created_at  timestamptz NOT NULL DEFAULT now(),
    deleted_at  timestamptz
);

CREATE TABLE users (
    id             uuid        PRIMARY KEY,
    email          text        NOT NULL CHECK (email = lower(email) AND char_length(email) BETWEEN 3 AND 320),
    password_hash  text,
    created_at     timestamptz NOT NULL DEFAULT now(),
    disabled_at    timestamptz
);
CREATE UNIQUE INDEX users_email ON users (email);

CREATE TABLE memberships (
    org_id      uuid        NOT NULL REFERENCES organizations,
    user_id     uuid        NOT NULL REFERENCES users,
    role        text        NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, user_id)
);
CREATE INDEX memberships_user ON memberships (user_id);

CREATE TABLE api_keys (
    id              uuid        PRIMARY KEY,
    org_id          uuid        NOT NULL,
    user_id         uuid        NOT NULL,
    name            text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    -- HMAC-SHA256 of the key under the pepper of that version. The key itself is nowhere.
    digest          bytea       NOT NULL CHECK (octet_length(digest) = 32),
    pepper_version  smallint    NOT NULL,
    last_four       text        NOT NULL CHECK (char_length(last_four) = 4),
    scopes          text[]      NOT NULL DEFAULT '{inference}',
    -- NULL allows every model.
    allowed_models  text[],
    expires_at      timestamptz,
    revoked_at      timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    FOREIGN KEY (org_id, user_id) REFERENCES memberships (org_id, user_id)
);
CREATE UNIQUE INDEX api_keys_digest ON api_keys (digest);
CREATE INDEX api_keys_org ON api_keys (org_id, created_at);

ALTER TABLE organizations ENABLE ROW LEVEL SECURITY;
ALTER TABLE organizations FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON organizations USING (id = current_org());

ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY members ON users FOR SELECT
    USING (EXISTS (SELECT FROM memberships WHERE memberships.user_id = users.id));
CREATE POLICY enrol ON users FOR INSERT WITH CHECK (current_org() IS NOT NULL);

ALTER TABLE memberships ENABLE ROW LEVEL SECURITY;
ALTER TABLE memberships FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON memberships USING (org_id = current_org());

ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON api_keys USING (org_id = current_org());
CREATE POLICY presented ON api_keys FOR SELECT
    USING (digest = decode(NULLIF(current_setting('app.key_digest', true), ''), 'hex'));

GRANT USAGE ON SCHEMA public TO hivegate_app;
GRANT SELECT, INSERT, UPDATE ON organizations, users, memberships, api_keys TO hivegate_app;
GRANT DELETE ON memberships TO hivegate_app;
