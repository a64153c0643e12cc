-- Budgets: what somebody wants to be spent at most in a span of time. Each of their windows is a limit on money, as
-- gateways know them; what a budget says is written into its windows.

CREATE TABLE budgets (
    id              uuid         PRIMARY KEY,
    org_id          uuid         NOT NULL REFERENCES organizations,
    name            text         NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    -- As in money_limits.
    subject         text         NOT NULL CHECK (char_length(subject) BETWEEN 1 AND 300),
    period          text         NOT NULL CHECK (period IN ('day', 'week', 'month', 'total')),
    amount_nano     bigint       NOT NULL CHECK (amount_nano BETWEEN 0 AND 100000000000000000),
    -- Whether it only counts, and refuses nobody.
    is_soft         boolean      NOT NULL,
    -- In percent of the amount, in their order.
    thresholds      bigint[]     NOT NULL CHECK (cardinality(thresholds) <= 10),
    -- Who is told of them.
    alert_emails    text[]       NOT NULL CHECK (cardinality(alert_emails) <= 10),
    webhook_url     text         CHECK (char_length(webhook_url) BETWEEN 1 AND 2000),
    -- What its webhooks are signed with, sealed.
    sealed          bytea,
    wrapped_key     bytea,
    master_version  smallint,
    -- What holds instead of the amount for a while.
    override_nano   bigint       CHECK (override_nano BETWEEN 0 AND 100000000000000000),
    override_until  timestamptz,
    -- NULL: the instance.
    created_by      uuid,
    created_at      timestamptz  NOT NULL,
    archived_at     timestamptz,
    UNIQUE (id, org_id),
    CHECK ((override_nano IS NULL) = (override_until IS NULL)),
    CHECK (num_nonnulls(sealed, wrapped_key, master_version, webhook_url) IN (0, 4))
);
CREATE INDEX budgets_organization ON budgets (org_id, created_at);
CREATE INDEX budgets_override ON budgets (override_until) WHERE override_until IS NOT NULL;

ALTER TABLE money_limits
    -- Whose window it is; NULL: it is none. Budgets are deleted with their organization, and never before.
    ADD COLUMN budget_id     uuid,
    ADD COLUMN is_soft       boolean      NOT NULL DEFAULT false,
    -- What of settled_nano was used before requests knew the limit.
    ADD COLUMN opening_nano  bigint       NOT NULL DEFAULT 0 CHECK (opening_nano BETWEEN 0 AND settled_nano),
    -- When that is counted anew, because some of it was still under way; NULL: it is known.
    ADD COLUMN recount_at    timestamptz,
    ADD CHECK (budget_id IS NULL OR kind = 'budget'),
    ADD CHECK (NOT is_soft OR kind = 'budget'),
    -- Several budgets of one subject may be at the same window.
    DROP CONSTRAINT money_limits_org_id_kind_subject_window_start_window_end_key,
    ADD CONSTRAINT money_limits_once
        UNIQUE NULLS NOT DISTINCT (org_id, kind, subject, window_start, window_end, budget_id);
CREATE INDEX money_limits_budget ON money_limits (budget_id, window_start) WHERE budget_id IS NOT NULL;
CREATE INDEX money_limits_recount ON money_limits (recount_at) WHERE recount_at IS NOT NULL;
-- A window that has not begun goes with its budget.
GRANT DELETE ON money_limits TO hivegate_app;

DROP TRIGGER raise_generation_where_it_changes ON money_limits;
CREATE TRIGGER raise_generation_where_it_changes AFTER UPDATE ON money_limits
    FOR EACH ROW WHEN (
        (OLD.id, OLD.kind, OLD.subject, OLD.window_start, OLD.window_end, OLD.is_soft)
        IS DISTINCT FROM (NEW.id, NEW.kind, NEW.subject, NEW.window_start, NEW.window_end, NEW.is_soft)
    )
    EXECUTE FUNCTION raise_generation_for_money_limit();

-- That a window has reached a threshold: once for each, and what becomes of the webhook.
CREATE TABLE budget_alerts (
    limit_id         uuid         NOT NULL,
    threshold        bigint       NOT NULL,
    -- The event's name, the same however often it is sent.
    id               uuid         NOT NULL,
    org_id           uuid         NOT NULL,
    budget_id        uuid         NOT NULL,
    -- Whether somebody was told, and not of a higher one at the same time.
    is_told          boolean      NOT NULL,
    settled_nano     bigint       NOT NULL,
    cap_nano         bigint       NOT NULL,
    created_at       timestamptz  NOT NULL,
    attempts         integer      NOT NULL DEFAULT 0,
    -- NULL: nothing is to be sent any more.
    next_attempt_at  timestamptz,
    delivered_at     timestamptz,
    given_up_at      timestamptz,
    last_error       text,
    PRIMARY KEY (limit_id, threshold),
    FOREIGN KEY (limit_id, org_id) REFERENCES money_limits (id, org_id) ON DELETE CASCADE
);
CREATE INDEX budget_alerts_due ON budget_alerts (next_attempt_at) WHERE next_attempt_at IS NOT NULL;

ALTER TABLE budgets ENABLE ROW LEVEL SECURITY;
ALTER TABLE budgets FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON budgets USING (org_id = current_org());
CREATE POLICY system ON budgets USING (is_system());
ALTER TABLE budget_alerts ENABLE ROW LEVEL SECURITY;
ALTER TABLE budget_alerts FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON budget_alerts FOR SELECT USING (org_id = current_org());
CREATE POLICY system ON budget_alerts USING (is_system());
GRANT SELECT, INSERT, UPDATE ON budgets, budget_alerts TO hivegate_app;

-- The end of an organization takes these with it; their windows go as all limits do.
CREATE FUNCTION purge_budgets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM budgets WHERE org_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER purge_budgets AFTER UPDATE OF purged_at ON organizations
    FOR EACH ROW WHEN (NEW.purged_at IS NOT NULL AND OLD.purged_at IS NULL) EXECUTE FUNCTION purge_budgets();

-- What would have been refused is asked for by time.
CREATE INDEX usage_events_refused ON usage_events (org_id, at) WHERE would_refuse IS NOT NULL;

-- Windows -----------------------------------------------------------------------------------------------------------

-- The first moment at which the clocks of a zone show this. Where they go back over it there are two, and the database
-- names the later; where they leave it out, it is the moment at which they do.
CREATE FUNCTION first_moment(zone text, shown timestamp) RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
DECLARE
    moment timestamptz := shown AT TIME ZONE zone;
    back interval;
BEGIN
    FOREACH back IN ARRAY ARRAY['3 hours', '2 hours', '1 hour', '30 minutes']::interval[] LOOP
        IF (moment - back) AT TIME ZONE zone = shown THEN
            RETURN moment - back;
        END IF;
    END LOOP;
    RETURN moment;
END
$$;

-- The day, week (from Monday) or month of `moment` in a zone. They follow each other without a gap: `stop` is the next
-- one's `start`. A zone that the server has lost counts as UTC.
CREATE FUNCTION budget_window(zone text, period text, moment timestamptz, OUT start timestamptz, OUT stop timestamptz)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    first timestamp;
    step interval := ('1 ' || period)::interval;
BEGIN
    first := date_trunc(period, moment AT TIME ZONE zone);
    LOOP
        start := first_moment(zone, first);
        stop := first_moment(zone, first + step);
        -- Clocks that went back over midnight show the day before once more; some zones have left out a day.
        IF moment < start THEN
            first := first - step;
        ELSIF moment >= stop THEN
            first := first + step;
        ELSE
            RETURN;
        END IF;
    END LOOP;
EXCEPTION
    WHEN invalid_parameter_value THEN
        IF zone = 'UTC' THEN
            RAISE;
        END IF;
        SELECT window_of.start, window_of.stop INTO start, stop
        FROM budget_window('UTC', period, moment) AS window_of;
END
$$;
