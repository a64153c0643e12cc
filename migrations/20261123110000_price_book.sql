-- The price book: what each list of prices says, what waits for an operator, and what organizations pay instead.

-- Imports ------------------------------------------------------------------------------------------------------------

-- What a list said of a model when it was last imported: two lists that disagree are for an operator to judge.
CREATE TABLE price_listings (
    source     text         NOT NULL CHECK (char_length(source) BETWEEN 1 AND 100),
    model_id   text         NOT NULL REFERENCES models ON DELETE CASCADE,
    -- Pico-dollars by the names of the columns below; the list is silent about what is absent.
    prices     jsonb        NOT NULL CHECK (jsonb_typeof(prices) = 'object'),
    listed_at  timestamptz  NOT NULL,
    PRIMARY KEY (source, model_id)
);
CREATE INDEX price_listings_model ON price_listings (model_id);

-- Prices that an import has not applied, because they are rather slips than prices.
CREATE TABLE price_proposals (
    id                uuid         PRIMARY KEY,
    model_id          text         NOT NULL REFERENCES models ON DELETE CASCADE,
    -- The whole price as it would hold, in pico-dollars as in model_prices.
    input             bigint       CHECK (input >= 0),
    cache_read        bigint       CHECK (cache_read >= 0),
    cache_write       bigint       CHECK (cache_write >= 0),
    cache_write_long  bigint       CHECK (cache_write_long >= 0),
    output            bigint       CHECK (output >= 0),
    reasoning         bigint       CHECK (reasoning >= 0),
    audio_input       bigint       CHECK (audio_input >= 0),
    audio_output      bigint       CHECK (audio_output >= 0),
    image_output      bigint       CHECK (image_output >= 0),
    image             bigint       CHECK (image >= 0),
    request           bigint       CHECK (request >= 0),
    search            bigint       CHECK (search >= 0),
    second            bigint       CHECK (second >= 0),
    character         bigint       CHECK (character >= 0),
    long_above        bigint       CHECK (long_above > 0),
    long_input        bigint       CHECK (long_input >= 0),
    long_output       bigint       CHECK (long_output >= 0),
    source            text         NOT NULL CHECK (char_length(source) BETWEEN 1 AND 100),
    -- 'jump input', 'too_high output', 'disagreement input litellm': see PriceImport.Reason.
    reasons           text[]       NOT NULL CHECK (cardinality(reasons) BETWEEN 1 AND 1000),
    -- When the price began that it was compared with: where that is no longer in force, it cannot be approved.
    -- NULL: none was known.
    compared_from     timestamptz,
    -- withdrawn: its source says something else by now.
    state             text         NOT NULL DEFAULT 'open'
        CHECK (state IN ('open', 'approved', 'rejected', 'withdrawn')),
    proposed_at       timestamptz  NOT NULL,
    proposed_by       text         NOT NULL CHECK (char_length(proposed_by) BETWEEN 1 AND 100),
    decided_at        timestamptz,
    decided_by        text         CHECK (char_length(decided_by) BETWEEN 1 AND 100),
    CHECK (long_above IS NOT NULL OR (long_input IS NULL AND long_output IS NULL)),
    CHECK ((state = 'open') = (decided_at IS NULL) AND (decided_at IS NULL) = (decided_by IS NULL))
);
-- A source has one opinion at a time.
CREATE UNIQUE INDEX price_proposals_open ON price_proposals (model_id, source) WHERE state = 'open';
CREATE INDEX price_proposals_rejected ON price_proposals (model_id, source, decided_at) WHERE state = 'rejected';
CREATE INDEX price_proposals_state ON price_proposals (state, id);

ALTER TABLE price_listings ENABLE ROW LEVEL SECURITY;
ALTER TABLE price_listings FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON price_listings USING (is_system());
ALTER TABLE price_proposals ENABLE ROW LEVEL SECURITY;
ALTER TABLE price_proposals FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON price_proposals USING (is_system());

GRANT SELECT, INSERT, DELETE ON price_listings TO hivegate_app;
GRANT SELECT, INSERT, UPDATE ON price_proposals TO hivegate_app;

-- Organizations ------------------------------------------------------------------------------------------------------

-- What an organization pays for a model for a time. NULL: as the model's list price has it.
CREATE TABLE price_overrides (
    id                uuid         PRIMARY KEY,
    org_id            uuid         NOT NULL REFERENCES organizations,
    model_id          text         NOT NULL REFERENCES models ON DELETE CASCADE,
    effective_from    timestamptz  NOT NULL CHECK (isfinite(effective_from)),
    -- The first moment at which it does not hold; NULL: until further notice.
    effective_to      timestamptz  CHECK (isfinite(effective_to) AND effective_to > effective_from),
    input             bigint       CHECK (input >= 0),
    cache_read        bigint       CHECK (cache_read >= 0),
    cache_write       bigint       CHECK (cache_write >= 0),
    cache_write_long  bigint       CHECK (cache_write_long >= 0),
    output            bigint       CHECK (output >= 0),
    reasoning         bigint       CHECK (reasoning >= 0),
    audio_input       bigint       CHECK (audio_input >= 0),
    audio_output      bigint       CHECK (audio_output >= 0),
    image_output      bigint       CHECK (image_output >= 0),
    image             bigint       CHECK (image >= 0),
    request           bigint       CHECK (request >= 0),
    search            bigint       CHECK (search >= 0),
    second            bigint       CHECK (second >= 0),
    character         bigint       CHECK (character >= 0),
    long_above        bigint       CHECK (long_above > 0),
    long_input        bigint       CHECK (long_input >= 0),
    long_output       bigint       CHECK (long_output >= 0),
    created_at        timestamptz  NOT NULL DEFAULT now(),
    CHECK (long_above IS NOT NULL OR (long_input IS NULL AND long_output IS NULL)),
    CHECK (num_nonnulls(input, cache_read, cache_write, cache_write_long, output, reasoning, audio_input,
        audio_output, image_output, image, request, search, second, character, long_above) > 0),
    CONSTRAINT price_overrides_one_at_a_time EXCLUDE USING gist (
        text_range(org_id::text || ' ' || model_id, org_id::text || ' ' || model_id, '[]') WITH &&,
        tstzrange(effective_from, effective_to) WITH &&)
);
CREATE INDEX price_overrides_organization ON price_overrides (org_id, model_id, effective_from);

-- Processes remember them with the organization's keys.
CREATE FUNCTION raise_generation_for_price_override() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE organizations SET key_generation = key_generation + 1
    WHERE id = CASE TG_OP WHEN 'DELETE' THEN OLD.org_id ELSE NEW.org_id END;
    RETURN NULL;
END
$$;
CREATE TRIGGER raise_generation AFTER INSERT OR UPDATE OR DELETE ON price_overrides
    FOR EACH ROW EXECUTE FUNCTION raise_generation_for_price_override();

-- Every look-up of a key reads all that have not ended.
CREATE FUNCTION keep_price_overrides_few() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM (
        SELECT FROM price_overrides
        WHERE org_id = NEW.org_id AND (effective_to IS NULL OR effective_to > now()) LIMIT 1000
    ) AS current) >= 1000 THEN
        RAISE EXCEPTION 'an organization has at most 1000 prices of its own at once' USING ERRCODE = 'HG004';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_price_overrides_few BEFORE INSERT ON price_overrides
    FOR EACH ROW EXECUTE FUNCTION keep_price_overrides_few();

-- The end of an organization takes these with it.
CREATE FUNCTION forget_price_overrides() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM price_overrides WHERE org_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER forget_price_overrides AFTER UPDATE ON organizations
    FOR EACH ROW WHEN (NEW.purged_at IS NOT NULL AND OLD.purged_at IS NULL)
    EXECUTE FUNCTION forget_price_overrides();

ALTER TABLE price_overrides ENABLE ROW LEVEL SECURITY;
ALTER TABLE price_overrides FORCE ROW LEVEL SECURITY;
-- An organization sees what it was given, and does not give itself anything.
CREATE POLICY own ON price_overrides FOR SELECT USING (org_id = current_org());
CREATE POLICY purged ON price_overrides FOR DELETE USING (
    org_id = current_org()
    AND EXISTS (SELECT FROM organizations WHERE organizations.id = org_id AND purged_at IS NOT NULL));
CREATE POLICY system ON price_overrides USING (is_system());
GRANT SELECT, INSERT, UPDATE, DELETE ON price_overrides TO hivegate_app;
