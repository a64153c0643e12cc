-- What was used, what it cost, and the books: usage events by month, what they add up to, and the ledger.
--
-- None of these refers to the tables of organizations, people or keys: books outlive what they speak of, and are written by
-- the thousand a second. Who reads them sees their own by the policies below.

-- Usage ---------------------------------------------------------------------------------------------------------------

-- One row for each request to a provider (attempt 1, 2, …) and one, attempt 0, for a call for which nobody was asked.
-- A call's rows have its id; the last of them says what the call as a whole was.
CREATE TABLE usage_events (
    -- Made when the call was let in: ids are in the order of that.
    id               uuid         NOT NULL,
    attempt          smallint     NOT NULL CHECK (attempt BETWEEN 0 AND 1000),
    -- When the call ended.
    at               timestamptz  NOT NULL,
    is_last          boolean      NOT NULL,
    -- How many calls the row stands for: kept answers that were given in the same moment share one.
    calls            integer      NOT NULL CHECK (calls BETWEEN 0 AND 1000000000),
    batch_id         uuid         NOT NULL,
    org_id           uuid         NOT NULL,
    user_id          uuid         NOT NULL,
    key_id           uuid         NOT NULL,
    request_id       text         NOT NULL,
    -- The name of the route: createChatCompletion.
    endpoint         text         NOT NULL,
    -- As the client named it.
    asked_model      text         NOT NULL,
    -- '' where nobody was asked.
    provider         text         NOT NULL,
    -- As the catalogue names it.
    model            text         NOT NULL,
    is_own_key       boolean      NOT NULL,
    started          timestamptz  NOT NULL,
    latency_us       bigint       NOT NULL CHECK (latency_us >= 0),
    first_token_us   bigint       CHECK (first_token_us >= 0),
    -- orphaned: its gateway died, and what it used is not known.
    outcome          text         NOT NULL CHECK (outcome IN ('answered', 'failed', 'abandoned', 'kept', 'orphaned')),
    fault            text,
    -- HIT, MISS, …; of the last row.
    cache            text,
    is_estimated     boolean      NOT NULL,
    input            bigint       NOT NULL CHECK (input >= 0),
    cache_read       bigint       NOT NULL CHECK (cache_read >= 0),
    cache_write      bigint       NOT NULL CHECK (cache_write >= 0),
    cache_write_hour bigint       NOT NULL CHECK (cache_write_hour >= 0),
    audio_input      bigint       NOT NULL CHECK (audio_input >= 0),
    image_input      bigint       NOT NULL CHECK (image_input >= 0),
    output           bigint       NOT NULL CHECK (output >= 0),
    reasoning        bigint       NOT NULL CHECK (reasoning >= 0),
    audio_output     bigint       NOT NULL CHECK (audio_output >= 0),
    image_output     bigint       NOT NULL CHECK (image_output >= 0),
    images           bigint       NOT NULL CHECK (images >= 0),
    -- Since when the price holds that was in force: with the model, its name.
    price_from       timestamptz,
    -- What its provider asks for it; NULL where something was used whose price is not known.
    cost_nano        bigint       CHECK (cost_nano >= 0),
    commission_nano  bigint       NOT NULL CHECK (commission_nano >= 0),
    -- What the organization pays.
    charge_nano      bigint       NOT NULL CHECK (charge_nano >= 0),
    -- What a kept answer would have cost.
    saved_nano       bigint       NOT NULL CHECK (saved_nano >= 0),
    -- What its provider asks beyond what the organization pays, because nobody knows what was delivered.
    written_off_nano bigint       NOT NULL CHECK (written_off_nano >= 0),
    -- Which limits on money have paid how much; of the last row.
    limit_ids        uuid[]       NOT NULL,
    limit_nanos      bigint[]     NOT NULL CHECK (cardinality(limit_nanos) = cardinality(limit_ids)),
    -- The limit for which it would have been refused, were limits enforced.
    would_refuse     uuid,
    -- What the client says that the call is about, on each of its rows.
    tags             jsonb,
    PRIMARY KEY (id, attempt, at)
) PARTITION BY RANGE (at);
CREATE INDEX usage_events_batch ON usage_events (batch_id);
CREATE INDEX usage_events_organization ON usage_events (org_id, id DESC);
ALTER TABLE usage_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_events FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON usage_events FOR SELECT USING (org_id = current_org());
CREATE POLICY system ON usage_events USING (is_system());

-- For months that nobody has made ahead: a wrong clock stops no drain.
CREATE TABLE usage_events_other PARTITION OF usage_events DEFAULT;

-- Makes the partitions of the month of `moment` and of so many after it; says how many are new.
CREATE FUNCTION make_usage_partitions(moment timestamptz, months_ahead integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    first timestamp := date_trunc('month', moment AT TIME ZONE 'UTC');
    start timestamptz;
    stop timestamptz;
    partition text;
    made integer := 0;
BEGIN
    -- Two who make the same one would meet.
    PERFORM pg_advisory_xact_lock(hashtextextended('make_usage_partitions', 0));
    FOR month IN 0..months_ahead LOOP
        start := (first + make_interval(months => month)) AT TIME ZONE 'UTC';
        stop := (first + make_interval(months => month + 1)) AT TIME ZONE 'UTC';
        partition := 'usage_events_' || to_char(start AT TIME ZONE 'UTC', 'YYYYMM');
        CONTINUE WHEN to_regclass('public.' || partition) IS NOT NULL;
        EXECUTE format('CREATE TABLE public.%I (LIKE usage_events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition);
        EXECUTE format('ALTER TABLE public.%I ADD CHECK (at >= %L AND at < %L)', partition, start, stop);
        EXECUTE format(
            'WITH moved AS (DELETE FROM usage_events_other WHERE at >= %L AND at < %L RETURNING *) '
            'INSERT INTO public.%I SELECT * FROM moved', start, stop, partition);
        EXECUTE format(
            'ALTER TABLE usage_events ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)', partition, start, stop);
        made := made + 1;
    END LOOP;
    RETURN made;
END
$$;
REVOKE ALL ON FUNCTION make_usage_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_usage_partitions TO hivegate_app;
SELECT make_usage_partitions(now() - interval '1 month', 4);

-- The whole of a row as one number, in which nothing can be changed without its changing. Times are written the same
-- wherever it is asked.
CREATE FUNCTION usage_digest(event usage_events) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT hashtextextended(
        ROW(event.id, event.attempt, event.at AT TIME ZONE 'UTC', event.is_last, event.calls, event.org_id,
            event.user_id, event.key_id, event.request_id, event.endpoint, event.asked_model, event.provider,
            event.model, event.is_own_key, event.started AT TIME ZONE 'UTC', event.latency_us, event.first_token_us,
            event.outcome, event.fault, event.cache, event.is_estimated, event.input, event.cache_read,
            event.cache_write, event.cache_write_hour, event.audio_input, event.image_input, event.output,
            event.reasoning, event.audio_output, event.image_output, event.images,
            event.price_from AT TIME ZONE 'UTC', event.cost_nano, event.commission_nano, event.charge_nano,
            event.saved_nano, event.written_off_nano, event.limit_ids, event.limit_nanos, event.would_refuse,
            event.tags)::text, 0)
$$;

-- What came into the books at once: all or nothing of it.
CREATE TABLE usage_batches (
    id            uuid         PRIMARY KEY,
    created_at    timestamptz  NOT NULL DEFAULT now(),
    -- Rows, and the sum of their digests.
    events        bigint       NOT NULL CHECK (events > 0),
    digest        numeric      NOT NULL,
    -- When the first and the last of its calls ended.
    first_at      timestamptz  NOT NULL,
    last_at       timestamptz  NOT NULL
);
ALTER TABLE usage_batches ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_batches FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON usage_batches USING (is_system());

-- What the database did not take, for whoever finds out why.
CREATE TABLE usage_rejects (
    id          uuid         PRIMARY KEY,
    org_id      uuid         NOT NULL,
    entry       bytea        NOT NULL,
    reason      text         NOT NULL,
    created_at  timestamptz  NOT NULL DEFAULT now()
);
ALTER TABLE usage_rejects ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_rejects FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON usage_rejects USING (is_system());

-- What usage adds up to, by quarter hour (15), hour (60) and day (1440), all of them UTC's.
CREATE TABLE usage_rollups (
    minutes          smallint     NOT NULL CHECK (minutes IN (15, 60, 1440)),
    bucket           timestamptz  NOT NULL,
    org_id           uuid         NOT NULL,
    user_id          uuid         NOT NULL,
    key_id           uuid         NOT NULL,
    provider         text         NOT NULL,
    model            text         NOT NULL,
    calls            bigint       NOT NULL,
    -- Calls that failed in the end.
    errors           bigint       NOT NULL,
    attempts         bigint       NOT NULL,
    hits             bigint       NOT NULL,
    -- Of those that asked the cache.
    lookups          bigint       NOT NULL,
    input            bigint       NOT NULL,
    cached_input     bigint       NOT NULL,
    output           bigint       NOT NULL,
    images           bigint       NOT NULL,
    cost_nano        bigint       NOT NULL,
    commission_nano  bigint       NOT NULL,
    charge_nano      bigint       NOT NULL,
    saved_nano       bigint       NOT NULL,
    PRIMARY KEY (org_id, minutes, bucket, user_id, key_id, provider, model)
);

-- How long attempts that were answered took: so many in each slot, which is 4 log2 of the microseconds.
CREATE TABLE usage_latencies (
    minutes      smallint     NOT NULL CHECK (minutes IN (15, 60, 1440)),
    bucket       timestamptz  NOT NULL,
    org_id       uuid         NOT NULL,
    user_id      uuid         NOT NULL,
    key_id       uuid         NOT NULL,
    provider     text         NOT NULL,
    model        text         NOT NULL,
    slot         smallint     NOT NULL,
    -- By the end of the answer, and by its first byte.
    whole        bigint       NOT NULL,
    first_token  bigint       NOT NULL,
    PRIMARY KEY (org_id, minutes, bucket, user_id, key_id, provider, model, slot)
);

-- By what clients say of their calls ("team=search"), by hour and day.
CREATE TABLE usage_tags (
    minutes      smallint     NOT NULL CHECK (minutes IN (60, 1440)),
    bucket       timestamptz  NOT NULL,
    org_id       uuid         NOT NULL,
    tag          text         NOT NULL,
    calls        bigint       NOT NULL,
    errors       bigint       NOT NULL,
    input        bigint       NOT NULL,
    output       bigint       NOT NULL,
    cost_nano    bigint       NOT NULL,
    charge_nano  bigint       NOT NULL,
    saved_nano   bigint       NOT NULL,
    PRIMARY KEY (org_id, minutes, bucket, tag)
);

DO $$
DECLARE
    summary text;
BEGIN
    FOREACH summary IN ARRAY ARRAY['usage_rollups', 'usage_latencies', 'usage_tags'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', summary);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', summary);
        EXECUTE format('CREATE POLICY own ON %I FOR SELECT USING (org_id = current_org())', summary);
        EXECUTE format('CREATE POLICY system ON %I USING (is_system())', summary);
    END LOOP;
END
$$;

-- The ledger ----------------------------------------------------------------------------------------------------------

-- Double entry: what a transfer takes from one account it gives to another, so that all balances add up to nothing. The
-- accounts of the platform are kept for each organization too: nobody waits for a row that all share.
CREATE TABLE ledger_accounts (
    org_id        uuid    NOT NULL,
    kind          text    NOT NULL CHECK (kind IN (
        -- The organization's.
        'wallet', 'promo', 'escrow', 'receivable',
        -- The platform's.
        'cash', 'usage_revenue', 'commission_revenue', 'subscription_revenue', 'provider_cost', 'refunds',
        'write_off', 'disputes', 'rounding')),
    -- Credits less debits.
    balance_nano  bigint  NOT NULL,
    PRIMARY KEY (org_id, kind),
    CONSTRAINT ledger_accounts_floor CHECK (kind NOT IN ('wallet', 'promo', 'escrow') OR balance_nano >= 0)
);

CREATE TABLE ledger_transfers (
    id           uuid         PRIMARY KEY,
    org_id       uuid         NOT NULL,
    debit        text         NOT NULL,
    credit       text         NOT NULL CHECK (credit <> debit),
    amount_nano  bigint       NOT NULL CHECK (amount_nano BETWEEN 1 AND 4000000000000000000),
    -- usage, top_up, …
    reason       text         NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 64),
    -- What it is for, in the words of whoever made it: an invoice, a payment.
    reference    text         CHECK (char_length(reference) BETWEEN 1 AND 300),
    -- The usage that it pays for.
    batch_id     uuid,
    created_at   timestamptz  NOT NULL DEFAULT now(),
    -- The same is not booked twice.
    CONSTRAINT ledger_transfers_once UNIQUE (org_id, reason, reference, debit, credit)
);
CREATE INDEX ledger_transfers_batch ON ledger_transfers (batch_id) WHERE batch_id IS NOT NULL;
CREATE INDEX ledger_transfers_organization ON ledger_transfers (org_id, id DESC);
ALTER TABLE ledger_accounts ENABLE ROW LEVEL SECURITY;
ALTER TABLE ledger_accounts FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON ledger_accounts FOR SELECT USING (org_id = current_org());
CREATE POLICY system ON ledger_accounts USING (is_system());
ALTER TABLE ledger_transfers ENABLE ROW LEVEL SECURITY;
ALTER TABLE ledger_transfers FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON ledger_transfers FOR SELECT USING (org_id = current_org());
CREATE POLICY system ON ledger_transfers USING (is_system());

-- Whoever books a transfer moves the balances with it: there is no other way.
CREATE FUNCTION move_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO ledger_accounts (org_id, kind, balance_nano)
    SELECT DISTINCT org_id, kind, 0 FROM booked, LATERAL (VALUES (debit), (credit)) AS sides (kind)
    ORDER BY org_id, kind ON CONFLICT (org_id, kind) DO NOTHING;
    -- In one order, so that whoever books at the same time waits for this, or this for them.
    PERFORM FROM ledger_accounts WHERE (org_id, kind) IN (
        SELECT org_id, sides.kind FROM booked, LATERAL (VALUES (debit), (credit)) AS sides (kind)
    ) ORDER BY org_id, kind FOR NO KEY UPDATE;
    UPDATE ledger_accounts AS account SET balance_nano = balance_nano + moved.amount
    FROM (
        SELECT org_id, kind, sum(amount)::bigint AS amount
        FROM booked, LATERAL (VALUES (debit, -amount_nano), (credit, amount_nano)) AS sides (kind, amount)
        GROUP BY org_id, kind
    ) AS moved
    WHERE account.org_id = moved.org_id AND account.kind = moved.kind;
    RETURN NULL;
END
$$;
CREATE TRIGGER move_balances AFTER INSERT ON ledger_transfers
    REFERENCING NEW TABLE AS booked FOR EACH STATEMENT EXECUTE FUNCTION move_balances();

-- Books are written, and not changed.
CREATE FUNCTION keep_books() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what is in % stays as it is', TG_TABLE_NAME USING ERRCODE = 'HG004';
END
$$;
CREATE TRIGGER keep_books BEFORE UPDATE OR DELETE ON ledger_transfers
    FOR EACH ROW EXECUTE FUNCTION keep_books();
CREATE TRIGGER keep_books BEFORE UPDATE OR DELETE ON usage_batches
    FOR EACH ROW EXECUTE FUNCTION keep_books();

GRANT SELECT, INSERT ON usage_events, usage_batches, usage_rejects, ledger_transfers TO hivegate_app;
GRANT SELECT, INSERT, UPDATE ON usage_rollups, usage_latencies, usage_tags, ledger_accounts TO hivegate_app;

-- Money that is held ---------------------------------------------------------------------------------------------------

ALTER TABLE money_limits
    -- When what gateways hold was last compared with what was granted.
    ADD COLUMN reconciled_at timestamptz;
-- A grant is open until it is part of what gateways hold and are asked about; one for a single request until that is paid.
ALTER TABLE money_grants ADD COLUMN is_direct boolean NOT NULL DEFAULT false;
CREATE INDEX money_limits_granted ON money_limits (reconciled_at NULLS FIRST) WHERE granted_nano > 0;

