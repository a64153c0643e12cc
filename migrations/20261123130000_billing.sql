-- What is paid for: plans with their prices, subscriptions, invoices and what was paid of them. Money is in US cents here;
-- what is smaller waits in billing_accounts.carry_nano.

-- Plans -------------------------------------------------------------------------------------------------------------

ALTER TABLE plans
    ADD COLUMN price_cents         bigint   NOT NULL DEFAULT 0 CHECK (price_cents BETWEEN 0 AND 10000000000),
    ADD COLUMN currency            text     NOT NULL DEFAULT 'usd' CHECK (currency = 'usd'),
    ADD COLUMN billing_interval    text     NOT NULL DEFAULT 'month' CHECK (billing_interval IN ('month', 'year')),
    ADD COLUMN trial_days          integer  NOT NULL DEFAULT 0 CHECK (trial_days BETWEEN 0 AND 365),
    -- How many models one request may be sent to; NULL: any number.
    ADD COLUMN models_per_request  integer  CHECK (models_per_request BETWEEN 1 AND 100),
    -- Names of what else belongs to it.
    ADD COLUMN features            jsonb    NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(features) = 'array'),
    -- Hundredths of a percent; NULL: none.
    ADD COLUMN commission_points   integer  CHECK (commission_points BETWEEN 0 AND 100000),
    -- markup: so much is added to the cost. take_rate: the cost is what remains when so much is taken away.
    ADD COLUMN commission_mode     text     CHECK (commission_mode IN ('markup', 'take_rate')),
    -- The price is agreed upon with each customer: nobody subscribes to it by themselves.
    ADD COLUMN is_custom           boolean  NOT NULL DEFAULT false,
    ADD COLUMN position            integer  NOT NULL DEFAULT 0,
    -- Whoever has it keeps it; nobody else gets it.
    ADD COLUMN archived            boolean  NOT NULL DEFAULT false,
    -- Who said last what it is. What an operator has said no release changes.
    ADD COLUMN source              text     NOT NULL DEFAULT 'hivegate' CHECK (source IN ('hivegate', 'operator')),
    ADD CHECK ((commission_points IS NULL) = (commission_mode IS NULL)),
    ADD CHECK (commission_mode <> 'take_rate' OR commission_points < 10000);

CREATE FUNCTION only_the_instance_keeps_plans() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT is_system() THEN
        RAISE EXCEPTION 'plans are the instance''s' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER only_the_instance_keeps_plans BEFORE INSERT OR UPDATE OR DELETE ON plans
    FOR EACH STATEMENT EXECUTE FUNCTION only_the_instance_keeps_plans();
CREATE POLICY system ON plans USING (is_system());
GRANT INSERT, UPDATE, DELETE ON plans TO hivegate_app;

-- Accounts ----------------------------------------------------------------------------------------------------------

-- What goes on from one invoice of an organization to the next.
CREATE TABLE billing_accounts (
    org_id               uuid    PRIMARY KEY REFERENCES organizations,
    -- As it is to be printed: name, address, tax number; a line each.
    bill_to              text    CHECK (char_length(bill_to) <= 2000),
    last_invoice_number  bigint  NOT NULL DEFAULT 0,
    -- Less than a cent of what was owed for use when that was invoiced last: invoiced + carry = the ledger.
    carry_nano           bigint  NOT NULL DEFAULT 0 CHECK (carry_nano BETWEEN 0 AND 9999999),
    -- What the platform had earned by use and by commission then: what was earned since says how use is divided.
    usage_nano           bigint  NOT NULL DEFAULT 0,
    commission_nano      bigint  NOT NULL DEFAULT 0,
    -- What is the customer's, for the invoices to come.
    credit_cents         bigint  NOT NULL DEFAULT 0 CHECK (credit_cents >= 0)
);

-- Subscriptions -----------------------------------------------------------------------------------------------------

CREATE TABLE subscriptions (
    id                  uuid         PRIMARY KEY,
    org_id              uuid         NOT NULL REFERENCES organizations,
    status              text         NOT NULL CHECK (status IN (
        'incomplete', 'incomplete_expired', 'trialing', 'active', 'past_due', 'unpaid', 'paused', 'canceled')),
    -- The plan as it was when it was chosen.
    plan                text         NOT NULL REFERENCES plans,
    plan_title          text         NOT NULL,
    plan_cents          bigint       NOT NULL CHECK (plan_cents BETWEEN 0 AND 10000000000),
    plan_interval       text         NOT NULL CHECK (plan_interval IN ('month', 'year')),
    -- What it becomes when the period ends.
    next_plan           text         REFERENCES plans,
    next_plan_title     text,
    next_plan_cents     bigint       CHECK (next_plan_cents BETWEEN 0 AND 10000000000),
    next_plan_interval  text         CHECK (next_plan_interval IN ('month', 'year')),
    -- From where periods are counted.
    anchor              timestamptz  NOT NULL,
    period_start        timestamptz  NOT NULL,
    period_end          timestamptz  NOT NULL,
    created_at          timestamptz  NOT NULL,
    trial_end           timestamptz,
    grace_until         timestamptz,
    -- When the oldest invoice that is not paid is due.
    owed_since          timestamptz,
    -- How many reminders were sent, of what was due then.
    reminders           smallint     NOT NULL DEFAULT 0,
    reminded_of         timestamptz,
    ends_with_period    boolean      NOT NULL DEFAULT false,
    ended_at            timestamptz,
    -- The plan that the organization was given last because of this.
    granted_plan        text,
    -- Where Stripe owns it, and as of when we know what it says.
    stripe_id           text         UNIQUE CHECK (char_length(stripe_id) BETWEEN 1 AND 255),
    stripe_seen_at      timestamptz,
    -- When time changes it next.
    next_step_at        timestamptz,
    -- Raised by every change: who has read an older one does not write.
    version             bigint       NOT NULL DEFAULT 1,
    CHECK (period_start < period_end),
    CHECK (num_nonnulls(next_plan, next_plan_title, next_plan_cents, next_plan_interval) IN (0, 4)),
    CHECK ((stripe_id IS NULL) = (stripe_seen_at IS NULL))
);
CREATE UNIQUE INDEX subscriptions_current ON subscriptions (org_id)
    WHERE status NOT IN ('canceled', 'incomplete_expired');
CREATE INDEX subscriptions_org ON subscriptions (org_id, created_at);
CREATE INDEX subscriptions_due ON subscriptions (next_step_at, id) WHERE next_step_at IS NOT NULL;
CREATE INDEX subscriptions_plan ON subscriptions (plan);
CREATE INDEX subscriptions_next_plan ON subscriptions (next_plan) WHERE next_plan IS NOT NULL;

-- What an upgrade was said to cost. Good for a quarter of an hour, and for the subscription as it was.
CREATE TABLE subscription_quotes (
    id               uuid         PRIMARY KEY,
    org_id           uuid         NOT NULL REFERENCES organizations,
    subscription_id  uuid         NOT NULL REFERENCES subscriptions,
    version          bigint       NOT NULL,
    plan             text         NOT NULL,
    plan_title       text         NOT NULL,
    plan_cents       bigint       NOT NULL,
    plan_interval    text         NOT NULL,
    -- From when the rest of the period is reckoned.
    moment           timestamptz  NOT NULL,
    cents            bigint       NOT NULL
);
CREATE INDEX subscription_quotes_moment ON subscription_quotes (moment);

-- Invoices ----------------------------------------------------------------------------------------------------------

CREATE TABLE invoices (
    id               uuid         PRIMARY KEY,
    -- In which order they were made.
    sequence         bigint       NOT NULL GENERATED ALWAYS AS IDENTITY,
    org_id           uuid         NOT NULL REFERENCES organizations,
    subscription_id  uuid         REFERENCES subscriptions,
    -- From when it is opened on: 1, 2, 3 in each organization.
    number           bigint       CHECK (number > 0),
    status           text         NOT NULL CHECK (status IN ('draft', 'open', 'paid', 'void', 'uncollectible')),
    bill_to          text,
    total_cents      bigint       NOT NULL CHECK (total_cents >= 0),
    paid_cents       bigint       NOT NULL DEFAULT 0 CHECK (paid_cents BETWEEN 0 AND total_cents),
    created_at       timestamptz  NOT NULL,
    opened_at        timestamptz,
    due_at           timestamptz,
    -- When it was paid, or came to another end.
    closed_at        timestamptz,
    UNIQUE (org_id, number),
    UNIQUE (id, org_id),
    CHECK (num_nonnulls(number, opened_at, due_at) = CASE WHEN status = 'draft' THEN 0 ELSE 3 END
        OR status = 'void' AND num_nonnulls(number, opened_at, due_at) = 0),
    CHECK ((closed_at IS NULL) = (status IN ('draft', 'open'))),
    CHECK (status <> 'paid' OR paid_cents = total_cents)
);
CREATE INDEX invoices_org ON invoices (org_id, sequence);
CREATE INDEX invoices_subscription ON invoices (subscription_id, due_at) WHERE status = 'open';

CREATE TABLE invoice_lines (
    invoice_id    uuid         NOT NULL,
    position      integer      NOT NULL,
    org_id        uuid         NOT NULL,
    kind          text         NOT NULL CHECK (kind IN ('subscription', 'proration', 'usage', 'commission', 'credit')),
    text          text         NOT NULL CHECK (char_length(text) BETWEEN 1 AND 500),
    period_start  timestamptz,
    period_end    timestamptz,
    -- Negative: for the customer.
    cents         bigint       NOT NULL,
    PRIMARY KEY (invoice_id, position),
    FOREIGN KEY (invoice_id, org_id) REFERENCES invoices (id, org_id),
    CHECK ((period_start IS NULL) = (period_end IS NULL) AND period_start < period_end)
);

CREATE TABLE invoice_payments (
    id           uuid         PRIMARY KEY,
    invoice_id   uuid         NOT NULL,
    org_id       uuid         NOT NULL,
    cents        bigint       NOT NULL CHECK (cents > 0),
    -- 'bank_transfer', 'stripe', …, and what names the payment there.
    method       text         NOT NULL CHECK (char_length(method) BETWEEN 1 AND 50),
    reference    text         NOT NULL CHECK (char_length(reference) BETWEEN 1 AND 200),
    recorded_by  uuid,
    paid_at      timestamptz  NOT NULL,
    -- Nobody's money is counted twice.
    UNIQUE (org_id, method, reference),
    FOREIGN KEY (invoice_id, org_id) REFERENCES invoices (id, org_id)
);
CREATE INDEX invoice_payments_invoice ON invoice_payments (invoice_id, org_id);

-- What has been sent to a customer stays as it is; only how it stands changes, and that forwards.
CREATE FUNCTION keep_invoices() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (OLD.status, NEW.status) NOT IN (
        ('draft', 'draft'), ('draft', 'open'), ('draft', 'void'),
        ('open', 'open'), ('open', 'paid'), ('open', 'void'), ('open', 'uncollectible'),
        ('uncollectible', 'uncollectible'), ('uncollectible', 'paid')) THEN
        RAISE EXCEPTION 'an invoice that is % does not become %', OLD.status, NEW.status USING ERRCODE = 'HG010';
    END IF;
    IF OLD.status <> 'draft' AND (NEW.org_id, NEW.subscription_id, NEW.number, NEW.bill_to, NEW.total_cents, NEW.opened_at,
        NEW.due_at) IS DISTINCT FROM (OLD.org_id, OLD.subscription_id, OLD.number, OLD.bill_to, OLD.total_cents,
        OLD.opened_at, OLD.due_at) THEN
        RAISE EXCEPTION 'an invoice does not change once it is open' USING ERRCODE = 'HG010';
    END IF;
    IF NEW.status <> 'draft' AND OLD.status = 'draft' AND NEW.total_cents <> (
        SELECT coalesce(sum(cents), 0) FROM invoice_lines WHERE invoice_id = NEW.id) THEN
        RAISE EXCEPTION 'an invoice is the sum of its lines' USING ERRCODE = 'HG010';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_invoices BEFORE UPDATE ON invoices FOR EACH ROW EXECUTE FUNCTION keep_invoices();

CREATE FUNCTION begin_as_draft() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an invoice begins as a draft' USING ERRCODE = 'HG010';
END
$$;
CREATE TRIGGER begin_as_draft BEFORE INSERT ON invoices FOR EACH ROW WHEN (NEW.status <> 'draft')
    EXECUTE FUNCTION begin_as_draft();

CREATE FUNCTION keep_invoice_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT status FROM invoices WHERE id = NEW.invoice_id) IS DISTINCT FROM 'draft' THEN
        RAISE EXCEPTION 'an invoice does not change once it is open' USING ERRCODE = 'HG010';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_invoice_lines BEFORE INSERT ON invoice_lines FOR EACH ROW EXECUTE FUNCTION keep_invoice_lines();

-- What happened -----------------------------------------------------------------------------------------------------

CREATE TABLE billing_events (
    id               uuid         PRIMARY KEY,
    sequence         bigint       NOT NULL GENERATED ALWAYS AS IDENTITY,
    org_id           uuid         NOT NULL REFERENCES organizations,
    subscription_id  uuid,
    invoice_id       uuid,
    at               timestamptz  NOT NULL,
    kind             text         NOT NULL CHECK (char_length(kind) BETWEEN 1 AND 100),
    detail           jsonb        NOT NULL DEFAULT '{}'
);
CREATE INDEX billing_events_org ON billing_events (org_id, sequence);

-- Requests that are done once, however often they come.
CREATE TABLE idempotency_keys (
    org_id       uuid         NOT NULL REFERENCES organizations,
    endpoint     text         NOT NULL CHECK (char_length(endpoint) BETWEEN 1 AND 200),
    key          text         NOT NULL CHECK (char_length(key) BETWEEN 1 AND 255),
    -- SHA-256 of the body.
    fingerprint  bytea        NOT NULL CHECK (octet_length(fingerprint) = 32),
    -- Who works at it: nobody else says how it ended.
    attempt      uuid         NOT NULL,
    begun_at     timestamptz  NOT NULL,
    -- How it was answered; NULL: not yet.
    status       smallint     CHECK (status BETWEEN 100 AND 599),
    answer       bytea        CHECK (octet_length(answer) <= 1048576),
    PRIMARY KEY (org_id, endpoint, key),
    CHECK ((status IS NULL) = (answer IS NULL))
);
CREATE INDEX idempotency_keys_begun ON idempotency_keys (begun_at);

-- Who sees what -----------------------------------------------------------------------------------------------------

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['billing_accounts', 'subscriptions', 'subscription_quotes', 'invoices', 'invoice_lines',
        'invoice_payments', 'billing_events', 'idempotency_keys'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY own ON %I USING (org_id = current_org())', name);
        EXECUTE format('CREATE POLICY system ON %I USING (is_system())', name);
    END LOOP;
END
$$;
GRANT SELECT, INSERT, UPDATE ON billing_accounts, subscriptions, invoices TO hivegate_app;
GRANT SELECT, INSERT, DELETE ON subscription_quotes TO hivegate_app;
-- These can be added and read, nothing else.
GRANT SELECT, INSERT ON invoice_lines, invoice_payments, billing_events TO hivegate_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO hivegate_app;

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
    DELETE FROM idempotency_keys WHERE org_id = organization;
    DELETE FROM billing_events WHERE org_id = organization;
    DELETE FROM invoice_payments WHERE org_id = organization;
    DELETE FROM invoice_lines WHERE org_id = organization;
    DELETE FROM invoices WHERE org_id = organization;
    DELETE FROM subscription_quotes WHERE org_id = organization;
    DELETE FROM subscriptions WHERE org_id = organization;
    DELETE FROM billing_accounts WHERE org_id = organization;
    RETURN true;
END
$$;
