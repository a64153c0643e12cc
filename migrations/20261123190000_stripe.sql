-- What Stripe keeps for us: who our customers are there, what they pay with, what is being paid, and what it has told us.
-- Nothing of a card but what its owner recognizes it by.

-- Organizations there. The key is made before Stripe is asked, so that there is one customer of each.
CREATE TABLE stripe_customers (
    org_id          uuid         PRIMARY KEY REFERENCES organizations,
    key             uuid         NOT NULL,
    name            text         NOT NULL,
    email           text,
    stripe_id       text         UNIQUE CHECK (char_length(stripe_id) BETWEEN 1 AND 255),
    default_method  text,
    begun_at        timestamptz  NOT NULL
);

-- As we saw them last.
CREATE TABLE stripe_methods (
    id            text      PRIMARY KEY CHECK (char_length(id) BETWEEN 1 AND 255),
    org_id        uuid      NOT NULL REFERENCES organizations,
    brand         text      NOT NULL CHECK (char_length(brand) <= 50),
    last_four     text      NOT NULL CHECK (char_length(last_four) <= 4),
    expiry_month  smallint  NOT NULL,
    expiry_year   smallint  NOT NULL
);
CREATE INDEX stripe_methods_org ON stripe_methods (org_id);

-- Plans that Stripe has. Whoever has one keeps its price, so there is one for each price.
CREATE TABLE stripe_plans (
    id        text    PRIMARY KEY,
    plan      text    NOT NULL REFERENCES plans ON DELETE CASCADE,
    made_at   timestamptz  NOT NULL
);

-- Subscriptions that Stripe is asked to begin. One that has not ended is asked for again, with its id as the key.
CREATE TABLE stripe_beginnings (
    id             uuid         PRIMARY KEY,
    org_id         uuid         NOT NULL REFERENCES organizations,
    stripe_plan    text         NOT NULL,
    trial_days     integer      NOT NULL,
    pays_at_once   boolean      NOT NULL,
    begun_at       timestamptz  NOT NULL,
    ended_at       timestamptz
);
CREATE UNIQUE INDEX stripe_beginnings_open ON stripe_beginnings (org_id) WHERE ended_at IS NULL;
CREATE INDEX stripe_beginnings_due ON stripe_beginnings (begun_at) WHERE ended_at IS NULL;

-- The plan that was paid for up to a period's end, where Stripe has the one after it already.
CREATE TABLE stripe_kept_plans (
    stripe_id      text         PRIMARY KEY,
    org_id         uuid         NOT NULL REFERENCES organizations,
    plan           text         NOT NULL,
    plan_title     text         NOT NULL,
    plan_cents     bigint       NOT NULL,
    plan_interval  text         NOT NULL,
    until          timestamptz  NOT NULL
);

-- Stripe's invoices as invoices of ours.
CREATE TABLE stripe_invoices (
    stripe_id      text     PRIMARY KEY CHECK (char_length(stripe_id) BETWEEN 1 AND 255),
    org_id         uuid     NOT NULL,
    invoice_id     uuid     NOT NULL UNIQUE,
    -- How often we have asked Stripe to collect it: a part of the key.
    payments       integer  NOT NULL DEFAULT 0,
    -- Of how many attempts that failed somebody was told.
    told_attempts  bigint   NOT NULL DEFAULT 0,
    FOREIGN KEY (invoice_id, org_id) REFERENCES invoices (id, org_id)
);

-- Payments by their intents. The id is made before Stripe is asked, and is the key.
CREATE TABLE stripe_payments (
    id          uuid         PRIMARY KEY,
    org_id      uuid         NOT NULL REFERENCES organizations,
    -- subscription: one that Stripe has made by itself for an invoice of its own.
    kind        text         NOT NULL CHECK (kind IN ('top_up', 'auto_top_up', 'invoice', 'subscription')),
    invoice_id  uuid,
    cents       bigint       NOT NULL CHECK (cents BETWEEN 1 AND 10000000000),
    -- What is charged at once, while nobody is there.
    method      text,
    stripe_id   text         UNIQUE CHECK (char_length(stripe_id) BETWEEN 1 AND 255),
    -- requested: Stripe has not answered yet; failed: it is not tried again.
    status      text         NOT NULL CHECK (status IN (
        'requested', 'requires_payment_method', 'requires_confirmation', 'requires_action', 'requires_capture',
        'processing', 'canceled', 'succeeded', 'failed')),
    failure     text         CHECK (char_length(failure) <= 200),
    created_at  timestamptz  NOT NULL,
    ended_at    timestamptz,
    CHECK ((ended_at IS NULL) = (status NOT IN ('canceled', 'succeeded', 'failed'))),
    CHECK ((invoice_id IS NULL) = (kind IN ('top_up', 'auto_top_up'))),
    FOREIGN KEY (invoice_id, org_id) REFERENCES invoices (id, org_id)
);
CREATE INDEX stripe_payments_org ON stripe_payments (org_id, id);
CREATE INDEX stripe_payments_open ON stripe_payments (created_at) WHERE ended_at IS NULL;
-- Nobody is charged by themselves twice at once.
CREATE UNIQUE INDEX stripe_payments_automatic ON stripe_payments (org_id) WHERE kind = 'auto_top_up' AND ended_at IS NULL;

-- Wallets that are filled by themselves.
CREATE TABLE auto_top_ups (
    org_id           uuid         PRIMARY KEY REFERENCES organizations,
    -- Below it the wallet is filled.
    threshold_nano   bigint       NOT NULL CHECK (threshold_nano BETWEEN 0 AND 100000000000000000),
    cents            bigint       NOT NULL CHECK (cents BETWEEN 100 AND 10000000000),
    -- In a month of UTC's.
    monthly_cents    bigint       NOT NULL CHECK (monthly_cents BETWEEN cents AND 10000000000),
    -- Declined one after the other.
    failures         integer      NOT NULL DEFAULT 0,
    next_attempt_at  timestamptz  NOT NULL
);

-- What Stripe has told. Each is a hint: what the object has become is asked of Stripe.
CREATE TABLE stripe_events (
    id               text         PRIMARY KEY CHECK (char_length(id) BETWEEN 1 AND 255),
    type             text         NOT NULL CHECK (char_length(type) <= 255),
    -- NULL: of no use to us.
    object_type      text,
    object_id        text         CHECK (char_length(object_id) <= 255),
    created_at       timestamptz  NOT NULL,
    received_at      timestamptz  NOT NULL,
    handled_at       timestamptz,
    outcome          text,
    attempts         integer      NOT NULL DEFAULT 0,
    next_attempt_at  timestamptz  NOT NULL,
    error            text
);
CREATE INDEX stripe_events_due ON stripe_events (next_attempt_at) WHERE handled_at IS NULL;
CREATE INDEX stripe_events_object ON stripe_events (object_id) WHERE handled_at IS NULL;
CREATE INDEX stripe_events_received ON stripe_events (received_at);

-- Up to when Stripe's own list of events was read.
CREATE TABLE stripe_readings (
    only_one  boolean      PRIMARY KEY DEFAULT true CHECK (only_one),
    read_at   timestamptz  NOT NULL
);

-- A wallet from which more was taken back than ever came in: a refund, and then a dispute of the same payment.
ALTER TABLE money_limits DROP CONSTRAINT money_limits_cap_nano_check;
ALTER TABLE money_limits ADD CONSTRAINT money_limits_cap_nano_check
    CHECK (cap_nano BETWEEN CASE kind WHEN 'wallet' THEN -4000000000000000000 ELSE 0 END AND 4000000000000000000);

-- Who sees what -----------------------------------------------------------------------------------------------------

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['stripe_customers', 'stripe_methods', 'stripe_plans', 'stripe_beginnings', 'stripe_kept_plans',
        'stripe_invoices', 'stripe_payments', 'auto_top_ups', 'stripe_events', 'stripe_readings'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY system ON %I USING (is_system())', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['stripe_customers', 'stripe_methods', 'stripe_beginnings', 'stripe_kept_plans', 'stripe_invoices',
        'stripe_payments', 'auto_top_ups'] LOOP
        EXECUTE format('CREATE POLICY own ON %I USING (org_id = current_org())', name);
    END LOOP;
END
$$;
GRANT SELECT, INSERT, UPDATE ON stripe_customers, stripe_beginnings, stripe_invoices, stripe_payments, stripe_readings
    TO hivegate_app;
GRANT SELECT, INSERT ON stripe_plans TO hivegate_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON stripe_methods, stripe_kept_plans, auto_top_ups, stripe_events TO hivegate_app;
-- What Stripe reckons that it costs.
GRANT UPDATE (cents) ON subscription_quotes TO hivegate_app;

-- The end of an organization takes these with it.
CREATE FUNCTION purge_stripe() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    DELETE FROM auto_top_ups WHERE org_id = NEW.id;
    DELETE FROM stripe_payments WHERE org_id = NEW.id;
    DELETE FROM stripe_invoices WHERE org_id = NEW.id;
    DELETE FROM stripe_kept_plans WHERE org_id = NEW.id;
    DELETE FROM stripe_beginnings WHERE org_id = NEW.id;
    DELETE FROM stripe_methods WHERE org_id = NEW.id;
    DELETE FROM stripe_customers WHERE org_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER purge_stripe AFTER UPDATE OF purged_at ON organizations
    FOR EACH ROW WHEN (OLD.purged_at IS NULL AND NEW.purged_at IS NOT NULL) EXECUTE FUNCTION purge_stripe();
