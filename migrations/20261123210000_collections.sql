-- Use that organizations owe beside what Stripe invoices: charged by itself, and reported.

ALTER TABLE stripe_payments DROP CONSTRAINT stripe_payments_kind_check;
ALTER TABLE stripe_payments ADD CONSTRAINT stripe_payments_kind_check
    -- collection: an invoice of ours that is charged by itself.
    CHECK (kind IN ('top_up', 'auto_top_up', 'invoice', 'collection', 'subscription'));
-- No invoice is charged by itself twice at once.
CREATE UNIQUE INDEX stripe_payments_collection ON stripe_payments (invoice_id)
    WHERE kind = 'collection' AND ended_at IS NULL;

-- What is not worth a charge waits, as what is less than a cent does.
ALTER TABLE billing_accounts DROP CONSTRAINT billing_accounts_carry_nano_check;
ALTER TABLE billing_accounts ADD CONSTRAINT billing_accounts_carry_nano_check CHECK (carry_nano >= 0);

-- Invoices whose card was declined.
CREATE TABLE stripe_collections (
    invoice_id       uuid         PRIMARY KEY,
    org_id           uuid         NOT NULL,
    failures         integer      NOT NULL,
    next_attempt_at  timestamptz  NOT NULL,
    FOREIGN KEY (invoice_id, org_id) REFERENCES invoices (id, org_id)
);

-- What of an organization's use Stripe's meter knows. What is on its way has a name, under which it counts once.
CREATE TABLE stripe_reports (
    org_id          uuid         PRIMARY KEY REFERENCES organizations,
    reported_cents  bigint       NOT NULL CHECK (reported_cents >= 0),
    underway_id     uuid,
    underway_cents  bigint       CHECK (underway_cents > 0),
    underway_at     timestamptz,
    CHECK (num_nonnulls(underway_id, underway_cents, underway_at) IN (0, 3))
);

ALTER TABLE stripe_collections ENABLE ROW LEVEL SECURITY;
ALTER TABLE stripe_collections FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON stripe_collections USING (is_system());
ALTER TABLE stripe_reports ENABLE ROW LEVEL SECURITY;
ALTER TABLE stripe_reports FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON stripe_reports USING (is_system());
GRANT SELECT, INSERT, UPDATE ON stripe_collections, stripe_reports TO hivegate_app;

CREATE OR REPLACE FUNCTION purge_stripe() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, public AS $$
BEGIN
    DELETE FROM auto_top_ups WHERE org_id = NEW.id;
    DELETE FROM stripe_collections WHERE org_id = NEW.id;
    DELETE FROM stripe_reports WHERE org_id = NEW.id;
    DELETE FROM stripe_payments WHERE org_id = NEW.id;
    DELETE FROM stripe_invoices WHERE org_id = NEW.id;
    DELETE FROM stripe_kept_plans WHERE org_id = NEW.id;
    DELETE FROM stripe_beginnings WHERE org_id = NEW.id;
    DELETE FROM stripe_methods WHERE org_id = NEW.id;
    DELETE FROM stripe_customers WHERE org_id = NEW.id;
    RETURN NULL;
END
$$;
