-- Where the requests of an organization may go, and providers that whoever manages the instance adds to those that a
-- release knows.

-- Its policy, as PUT /api/v1/organizations/{organization_id}/routing takes it; NULL: none.
ALTER TABLE organizations ADD COLUMN routing jsonb CHECK (jsonb_typeof(routing) = 'object');

-- Their keys are provider_credentials without an organization, their models rows of models.
CREATE TABLE providers (
    name        text         PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,63}$'),
    title       text         NOT NULL CHECK (char_length(title) BETWEEN 1 AND 200),
    dialect     text         NOT NULL CHECK (char_length(dialect) BETWEEN 1 AND 64),
    base_url    text         NOT NULL CHECK (char_length(base_url) BETWEEN 1 AND 2048),
    created_at  timestamptz  NOT NULL DEFAULT now()
);
ALTER TABLE providers ENABLE ROW LEVEL SECURITY;
ALTER TABLE providers FORCE ROW LEVEL SECURITY;
-- Organizations may have keys of their own for them.
CREATE POLICY everybody ON providers FOR SELECT USING (true);
CREATE POLICY system ON providers USING (is_system());
GRANT SELECT, INSERT, DELETE ON providers TO hivegate_app;
