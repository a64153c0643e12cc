-- What organizations may use: plans, what an operator says besides, and their own rules; what they have used by the
-- month; and money: limits on it, and the grants that gateways spend from.

-- Plans -------------------------------------------------------------------------------------------------------------

-- A plan that is changed here holds within seconds, when processes look their keys up again.
CREATE TABLE plans (
    name        text         PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9_-]{0,63}$'),
    title       text         NOT NULL CHECK (char_length(title) BETWEEN 1 AND 200),
    -- Rules, as those of organizations are written; see Sources/Admission.
    limits      jsonb        NOT NULL CHECK (jsonb_typeof(limits) = 'object'),
    created_at  timestamptz  NOT NULL DEFAULT now()
);
INSERT INTO plans (name, title, limits) VALUES
    ('free', 'Free',
     '{"organization": {"requests_per_minute": 10, "requests_per_month": 100, "tokens_per_month": 100000}}'),
    ('starter', 'Starter',
     '{"organization": {"requests_per_minute": 30, "requests_per_month": 2000, "tokens_per_month": 1000000}}'),
    ('pro', 'Pro',
     '{"organization": {"requests_per_minute": 100, "requests_per_month": 10000, "tokens_per_month": 10000000}}'),
    ('enterprise', 'Enterprise', '{"organization": {"requests_per_minute": 1000}}');
ALTER TABLE plans ENABLE ROW LEVEL SECURITY;
ALTER TABLE plans FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON plans FOR SELECT USING (true);
GRANT SELECT ON plans TO hivegate_app;

-- Organizations -----------------------------------------------------------------------------------------------------

ALTER TABLE organizations
    -- NULL: none, and nothing is limited by one.
    ADD COLUMN plan text REFERENCES plans,
    -- The operator's, over the plan.
    ADD COLUMN limit_overrides jsonb CHECK (jsonb_typeof(limit_overrides) = 'object'),
    -- The organization's own. They only narrow.
    ADD COLUMN limits jsonb CHECK (jsonb_typeof(limits) = 'object'),
    -- Where its months begin: an IANA name.
    ADD COLUMN time_zone text NOT NULL DEFAULT 'UTC',
    ADD COLUMN cache_policy jsonb CHECK (jsonb_typeof(cache_policy) = 'object');

-- An organization has the plan that it was given: whoever works for it alone cannot change that.
CREATE FUNCTION only_the_instance_gives() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an organization does not choose its plan, nor what lies over it'
        USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER only_the_instance_gives BEFORE UPDATE ON organizations
    FOR EACH ROW WHEN (
        (NEW.plan IS DISTINCT FROM OLD.plan OR NEW.limit_overrides IS DISTINCT FROM OLD.limit_overrides)
        AND NOT is_system()
    )
    EXECUTE FUNCTION only_the_instance_gives();
CREATE TRIGGER only_the_instance_gives_at_first BEFORE INSERT ON organizations
    FOR EACH ROW WHEN ((NEW.plan IS NOT NULL OR NEW.limit_overrides IS NOT NULL) AND NOT is_system())
    EXECUTE FUNCTION only_the_instance_gives();

-- A zone that nobody knows would be found out by whoever next looks a key up.
CREATE FUNCTION keep_a_known_time_zone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Fails as a zone does that there is not; to look through all of them takes long.
    PERFORM now() AT TIME ZONE NEW.time_zone;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_a_known_time_zone BEFORE UPDATE OF time_zone ON organizations
    FOR EACH ROW WHEN (NEW.time_zone IS DISTINCT FROM OLD.time_zone) EXECUTE FUNCTION keep_a_known_time_zone();
CREATE TRIGGER keep_a_known_time_zone_at_first BEFORE INSERT ON organizations
    FOR EACH ROW WHEN (NEW.time_zone <> 'UTC') EXECUTE FUNCTION keep_a_known_time_zone();

-- When the month of `moment` begins in a zone, and the two after it, in microseconds since 1970. A zone that the
-- server has lost (its list of zones is the system's) counts as UTC: keys are looked up all the same.
CREATE FUNCTION month_starts(zone text, moment timestamptz) RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    first timestamp;
BEGIN
    first := date_trunc('month', moment AT TIME ZONE zone);
    RETURN ARRAY[
        extract(epoch FROM first AT TIME ZONE zone) * 1000000,
        extract(epoch FROM (first + interval '1 month') AT TIME ZONE zone) * 1000000,
        extract(epoch FROM (first + interval '2 months') AT TIME ZONE zone) * 1000000
    ]::bigint[];
EXCEPTION
    WHEN invalid_parameter_value THEN
        IF zone = 'UTC' THEN
            RAISE;
        END IF;
        RETURN month_starts('UTC', moment);
END
$$;

-- What was used ------------------------------------------------------------------------------------------------------

-- By calendar month in the organization's zone. Redis counts; this is what it is filled from when it has forgotten.
CREATE TABLE quota_use (
    org_id    uuid     NOT NULL REFERENCES organizations,
    -- 'organization', 'user:<uuid>', 'key:<uuid>', 'model:<id>', 'group:<name>'.
    subject   text     NOT NULL CHECK (char_length(subject) BETWEEN 1 AND 300),
    -- year * 12 + month - 1
    month     integer  NOT NULL CHECK (month BETWEEN 2000 * 12 AND 3000 * 12),
    requests  bigint   NOT NULL DEFAULT 0 CHECK (requests >= 0),
    tokens    bigint   NOT NULL DEFAULT 0 CHECK (tokens >= 0),
    PRIMARY KEY (org_id, subject, month)
);
ALTER TABLE quota_use ENABLE ROW LEVEL SECURITY;
ALTER TABLE quota_use FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON quota_use USING (org_id = current_org());
CREATE POLICY system ON quota_use USING (is_system());
GRANT SELECT, INSERT, UPDATE, DELETE ON quota_use TO hivegate_app;

-- Money --------------------------------------------------------------------------------------------------------------

-- All of it in nano-dollars, as integers. No column reaches half of what 64 bits hold, so no sum of two overflows.

-- A wallet is what an organization has paid for; a budget is what may be spent in a span of time.
CREATE TABLE money_limits (
    id            uuid         PRIMARY KEY,
    org_id        uuid         NOT NULL REFERENCES organizations,
    kind          text         NOT NULL CHECK (kind IN ('wallet', 'budget')),
    -- As in quota_use.
    subject       text         NOT NULL CHECK (char_length(subject) BETWEEN 1 AND 300),
    -- From and up to when a budget is good; NULL: always.
    window_start  timestamptz,
    window_end    timestamptz,
    -- What may be spent at most.
    cap_nano      bigint       NOT NULL CHECK (cap_nano BETWEEN 0 AND 4000000000000000000),
    -- What was spent and has been settled.
    settled_nano  bigint       NOT NULL DEFAULT 0 CHECK (settled_nano BETWEEN 0 AND 4000000000000000000),
    -- What gateways hold to spend: the sum of money_grants that are open or quarantined.
    granted_nano  bigint       NOT NULL DEFAULT 0 CHECK (granted_nano BETWEEN 0 AND 4000000000000000000),
    created_at    timestamptz  NOT NULL DEFAULT now(),
    UNIQUE (id, org_id),
    UNIQUE NULLS NOT DISTINCT (org_id, kind, subject, window_start, window_end),
    CHECK ((window_start IS NULL) = (window_end IS NULL) AND window_start < window_end),
    CHECK (kind = 'budget' OR window_start IS NULL)
);
ALTER TABLE money_limits ENABLE ROW LEVEL SECURITY;
ALTER TABLE money_limits FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON money_limits USING (org_id = current_org());
CREATE POLICY system ON money_limits USING (is_system());

-- A request that cost more than was held for it may settle beyond the cap, and a cap may be lowered below what was
-- spent; but nothing is granted beyond it.
CREATE FUNCTION keep_grants_below_the_cap() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.settled_nano + NEW.granted_nano > NEW.cap_nano THEN
        RAISE EXCEPTION 'not so much is left to be granted' USING ERRCODE = 'HG002';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_grants_below_the_cap BEFORE UPDATE ON money_limits
    FOR EACH ROW WHEN (NEW.granted_nano > OLD.granted_nano) EXECUTE FUNCTION keep_grants_below_the_cap();
CREATE TRIGGER keep_grants_below_the_cap_at_first BEFORE INSERT ON money_limits
    FOR EACH ROW WHEN (NEW.granted_nano > 0) EXECUTE FUNCTION keep_grants_below_the_cap();

-- What a gateway was given to spend by itself.
CREATE TABLE money_grants (
    id           uuid         PRIMARY KEY,
    limit_id     uuid         NOT NULL,
    org_id       uuid         NOT NULL,
    amount_nano  bigint       NOT NULL CHECK (amount_nano BETWEEN 1 AND 4000000000000000000),
    -- quarantined: its gateway is gone, and what it has spent of it is not known yet.
    state        text         NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'quarantined', 'returned', 'spent')),
    created_at   timestamptz  NOT NULL DEFAULT now(),
    closed_at    timestamptz,
    -- A grant is of the organization whose limit it is from.
    FOREIGN KEY (limit_id, org_id) REFERENCES money_limits (id, org_id),
    CHECK ((closed_at IS NULL) = (state IN ('open', 'quarantined')))
);
CREATE INDEX money_grants_limit ON money_grants (limit_id, org_id);
CREATE INDEX money_grants_held ON money_grants (created_at) WHERE closed_at IS NULL;
ALTER TABLE money_grants ENABLE ROW LEVEL SECURITY;
ALTER TABLE money_grants FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON money_grants USING (org_id = current_org());
CREATE POLICY system ON money_grants USING (is_system());

GRANT SELECT, INSERT, UPDATE ON money_limits, money_grants TO hivegate_app;

-- The end of an organization takes these with it.
CREATE OR REPLACE FUNCTION purge_organization(organization uuid) RETURNS boolean
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
    DELETE FROM money_grants WHERE org_id = organization;
    DELETE FROM money_limits WHERE org_id = organization;
    DELETE FROM quota_use WHERE org_id = organization;
    RETURN true;
END
$$;
