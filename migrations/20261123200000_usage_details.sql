-- What use adds up to by one side of it at a time: all, or that of a provider, model, key or user. Sums by all of these at once
-- (usage_rollups) are too many to be read whenever somebody looks at a chart.
CREATE TABLE usage_facets (
    org_id           uuid         NOT NULL,
    facet            text         NOT NULL CHECK (facet IN ('all', 'provider', 'model', 'key', 'user')),
    -- 10080: a week, which begins on a Thursday as 1970 did.
    minutes          smallint     NOT NULL CHECK (minutes IN (15, 60, 1440, 10080)),
    bucket           timestamptz  NOT NULL,
    -- The provider's or model's, or the id of the key or user; '' for all.
    name             text         NOT NULL,
    calls            bigint       NOT NULL,
    errors           bigint       NOT NULL,
    attempts         bigint       NOT NULL,
    hits             bigint       NOT NULL,
    lookups          bigint       NOT NULL,
    input            bigint       NOT NULL,
    cached_input     bigint       NOT NULL,
    output           bigint       NOT NULL,
    images           bigint       NOT NULL,
    cost_nano        bigint       NOT NULL,
    commission_nano  bigint       NOT NULL,
    charge_nano      bigint       NOT NULL,
    saved_nano       bigint       NOT NULL,
    PRIMARY KEY (org_id, facet, minutes, bucket, name)
);

-- How long attempts that were answered took: so many in each slot, which is 4 log2 of the microseconds.
CREATE TABLE usage_facet_latencies (
    org_id       uuid         NOT NULL,
    facet        text         NOT NULL CHECK (facet IN ('all', 'provider', 'model', 'key', 'user')),
    minutes      smallint     NOT NULL CHECK (minutes IN (15, 60, 1440, 10080)),
    bucket       timestamptz  NOT NULL,
    name         text         NOT NULL,
    slot         smallint     NOT NULL,
    whole        bigint       NOT NULL,
    first_token  bigint       NOT NULL,
    PRIMARY KEY (org_id, facet, minutes, bucket, name, slot)
);

-- Nothing is booked meanwhile, so that nothing is missed.
LOCK TABLE usage_rollups, usage_latencies IN SHARE ROW EXCLUSIVE MODE;

INSERT INTO usage_facets
SELECT org_id, facet, minutes, bucket, name, sum(calls), sum(errors), sum(attempts), sum(hits), sum(lookups), sum(input),
    sum(cached_input), sum(output), sum(images), sum(cost_nano), sum(commission_nano), sum(charge_nano), sum(saved_nano)
FROM usage_rollups, LATERAL (VALUES ('all', ''), ('provider', provider), ('model', model), ('key', key_id::text),
    ('user', user_id::text)) AS facets (facet, name)
GROUP BY org_id, facet, minutes, bucket, name;
INSERT INTO usage_facets
SELECT org_id, facet, 10080, date_bin('7 days', bucket, 'epoch'), name, sum(calls), sum(errors), sum(attempts), sum(hits),
    sum(lookups), sum(input), sum(cached_input), sum(output), sum(images), sum(cost_nano), sum(commission_nano),
    sum(charge_nano), sum(saved_nano)
FROM usage_facets WHERE minutes = 1440 GROUP BY 1, 2, 4, 5;

INSERT INTO usage_facet_latencies
SELECT org_id, facet, minutes, bucket, name, slot, sum(whole), sum(first_token)
FROM usage_latencies, LATERAL (VALUES ('all', ''), ('provider', provider), ('model', model), ('key', key_id::text),
    ('user', user_id::text)) AS facets (facet, name)
GROUP BY org_id, facet, minutes, bucket, name, slot;
INSERT INTO usage_facet_latencies
SELECT org_id, facet, 10080, date_bin('7 days', bucket, 'epoch'), name, slot, sum(whole), sum(first_token)
FROM usage_facet_latencies WHERE minutes = 1440 GROUP BY 1, 2, 4, 5, 6;

-- By all sides at once nobody asks.
DROP TABLE usage_latencies;

-- Who may see is found out once for a statement, not for each of its rows: these are read by the hundred thousand.
DO $$
DECLARE
    summary text;
BEGIN
    FOREACH summary IN ARRAY ARRAY['usage_facets', 'usage_facet_latencies'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', summary);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', summary);
        EXECUTE format('CREATE POLICY own ON %I FOR SELECT USING (org_id = (SELECT current_org()))', summary);
        EXECUTE format('CREATE POLICY system ON %I USING ((SELECT is_system()))', summary);
    END LOOP;
END
$$;
GRANT SELECT, INSERT, UPDATE ON usage_facets, usage_facet_latencies TO hivegate_app;

-- Plans ---------------------------------------------------------------------------------------------------------------

ALTER TABLE plans
    -- The models that it has, by any of their names; NULL: all.
    ADD COLUMN allowed_models text[] CHECK (cardinality(allowed_models) BETWEEN 1 AND 1000);

-- Usage ---------------------------------------------------------------------------------------------------------------

ALTER TABLE usage_events
    -- The organization's own price that lay over the model's; NULL: none.
    ADD COLUMN price_override uuid;

-- As before where there is none, so that what was booked before has the same digest.
CREATE OR REPLACE FUNCTION usage_digest(event usage_events) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT hashtextextended(
        ROW(event.id, event.attempt, event.at AT TIME ZONE 'UTC', event.is_last, event.calls, event.org_id,
            event.user_id, event.key_id, event.request_id, event.endpoint, event.asked_model, event.provider,
            event.model, event.is_own_key, event.started AT TIME ZONE 'UTC', event.latency_us, event.first_token_us,
            event.outcome, event.fault, event.cache, event.is_estimated, event.input, event.cache_read,
            event.cache_write, event.cache_write_hour, event.audio_input, event.image_input, event.output,
            event.reasoning, event.audio_output, event.image_output, event.images,
            event.price_from AT TIME ZONE 'UTC', event.cost_nano, event.commission_nano, event.charge_nano,
            event.saved_nano, event.written_off_nano, event.is_prepaid, event.limit_ids, event.limit_nanos, event.would_refuse,
            event.tags)::text || coalesce(event.price_override::text, ''), 0)
$$;

-- The months whose events are gone, with what limits have paid in them: what is left still has to add up.
CREATE TABLE usage_dropped_months (
    month       timestamptz  PRIMARY KEY,
    -- Everything that ended before then is gone.
    ended       timestamptz  NOT NULL,
    events      bigint       NOT NULL,
    dropped_at  timestamptz  NOT NULL DEFAULT now()
);
CREATE TABLE usage_dropped_payments (
    limit_id  uuid    PRIMARY KEY,
    nano      bigint  NOT NULL
);
ALTER TABLE usage_dropped_months ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_dropped_months FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON usage_dropped_months USING (is_system());
ALTER TABLE usage_dropped_payments ENABLE ROW LEVEL SECURITY;
ALTER TABLE usage_dropped_payments FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON usage_dropped_payments USING (is_system());
GRANT SELECT ON usage_dropped_months, usage_dropped_payments TO hivegate_app;

-- Drops the events of the months that ended at least `months` whole months before the month of `moment`; says how many months
-- that were. Batches, transfers and sums stay.
CREATE FUNCTION drop_usage_partitions(moment timestamptz, months integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET lock_timeout = '2s' AS $$
DECLARE
    horizon timestamptz := (date_trunc('month', moment AT TIME ZONE 'UTC') - make_interval(months => months)) AT TIME ZONE 'UTC';
    partition text;
    start timestamptz;
    dropped integer := 0;
    count bigint;
    scope text := current_setting('app.system', true);
BEGIN
    IF months < 1 THEN RAISE EXCEPTION 'usage is kept for a month at least'; END IF;
    PERFORM set_config('app.system', 'on', true);
    PERFORM pg_advisory_xact_lock(hashtextextended('make_usage_partitions', 0));
    FOR partition IN
        SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'public.usage_events'::regclass AND relname ~ '^usage_events_[0-9]{6}$' ORDER BY relname
    LOOP
        start := to_timestamp(right(partition, 6) || '01', 'YYYYMMDD')::date::timestamp AT TIME ZONE 'UTC';
        EXIT WHEN (start AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC' > horizon;
        -- Nobody books into it between its being counted and its being gone.
        EXECUTE format('LOCK TABLE public.%I IN ACCESS EXCLUSIVE MODE', partition);
        EXECUTE format(
            'INSERT INTO usage_dropped_payments AS sums (limit_id, nano) '
            'SELECT limit_id, sum(nano) FROM public.%I, LATERAL unnest(limit_ids, limit_nanos) AS charge (limit_id, nano) '
            'GROUP BY limit_id ON CONFLICT (limit_id) DO UPDATE SET nano = sums.nano + EXCLUDED.nano', partition);
        EXECUTE format('SELECT count(*) FROM public.%I', partition) INTO count;
        INSERT INTO usage_dropped_months (month, ended, events)
        VALUES (start, (start AT TIME ZONE 'UTC' + interval '1 month') AT TIME ZONE 'UTC', count)
        ON CONFLICT (month) DO UPDATE SET events = usage_dropped_months.events + EXCLUDED.events;
        EXECUTE format('DROP TABLE public.%I', partition);
        dropped := dropped + 1;
    END LOOP;
    PERFORM set_config('app.system', coalesce(scope, ''), true);
    RETURN dropped;
END
$$;
REVOKE ALL ON FUNCTION drop_usage_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION drop_usage_partitions TO hivegate_app;

-- The ledger is read from its end, in the order of time.
CREATE INDEX ledger_transfers_time ON ledger_transfers (org_id, created_at DESC, id DESC);
