-- The models that can be asked for, and what they cost when.
--
-- They belong to no organization: everybody reads them, and the instance itself (app.system) writes them.

-- Ranges of text make "the same model" something that an exclusion constraint knows without an extension, which the
-- role that migrates might not be allowed to create.
CREATE TYPE text_range AS RANGE (subtype = text, collation = "C");

CREATE TABLE models (
    -- As requests name it: the provider, a slash, and the provider's own name for it.
    id                 text      PRIMARY KEY CHECK (id = provider || '/' || upstream_name),
    provider           text      NOT NULL CHECK (provider ~ '^[a-z0-9_-]{1,64}$'),
    upstream_name      text      NOT NULL CHECK (char_length(upstream_name) BETWEEN 1 AND 200),
    -- The model's name wherever it is served, without a provider: gpt-oss-120b.
    slug               text      NOT NULL CHECK (slug ~ '^[^/[:space:][:upper:]]{1,200}$'),
    family             text      NOT NULL CHECK (char_length(family) BETWEEN 1 AND 100),
    title              text      NOT NULL CHECK (char_length(title) BETWEEN 1 AND 200),
    mode               text      NOT NULL CHECK (mode IN (
        'chat', 'responses', 'embedding', 'image', 'rerank', 'transcription', 'speech', 'realtime')),
    -- Other names, without a provider.
    aliases            text[]    NOT NULL DEFAULT '{}',
    -- The most that it takes in; NULL in this and what follows: not known.
    context_tokens     bigint    CHECK (context_tokens > 0),
    max_output_tokens  bigint    CHECK (max_output_tokens > 0),
    input_modalities   text[]    NOT NULL
        CHECK (input_modalities <@ ARRAY['text', 'image', 'audio', 'video', 'pdf', 'vector', 'scores']),
    output_modalities  text[]    NOT NULL
        CHECK (output_modalities <@ ARRAY['text', 'image', 'audio', 'video', 'pdf', 'vector', 'scores']),
    capabilities       text[]    NOT NULL DEFAULT '{}' CHECK (capabilities <@ ARRAY[
        'tools', 'parallel_tools', 'json_schema', 'vision', 'audio', 'pdf', 'reasoning', 'logprobs', 'seed',
        'streaming', 'prompt_cache', 'web_search', 'open_weights']),
    -- Where it is known to be served; empty where that is not known.
    regions            text[]    NOT NULL DEFAULT '{}',
    -- Whether the provider may keep what is said to it.
    may_be_retained    boolean,
    -- What an estimate of tokens is multiplied by, in thousandths.
    tokenizer_factor   integer   CHECK (tokenizer_factor BETWEEN 100 AND 10000),
    released_on        date,
    deprecated_on      date,
    -- From then on nobody answers.
    shutdown_on        date,
    replacement        text,
    -- Where the facts are from; 'operator' for what was entered here, which no release changes.
    source             text      NOT NULL CHECK (char_length(source) BETWEEN 1 AND 100),
    verified_on        date      NOT NULL
);
CREATE INDEX models_slug ON models (slug);

-- Prices are in pico-dollars for one: a token, an image, a request, a search, a second of sound, a character. A
-- micro-dollar for a million tokens is one pico-dollar for a token, so what providers publish is a whole number. NULL is
-- not known, and never 0.
CREATE TABLE model_prices (
    model_id          text         NOT NULL REFERENCES models ON DELETE CASCADE,
    effective_from    timestamptz  NOT NULL CHECK (isfinite(effective_from)),
    -- The first moment at which it does not hold; NULL: until further notice.
    effective_to      timestamptz  CHECK (isfinite(effective_to) AND effective_to > effective_from),
    input             bigint       CHECK (input >= 0),
    cache_read        bigint       CHECK (cache_read >= 0),
    cache_write       bigint       CHECK (cache_write >= 0),
    -- What is kept for an hour instead of minutes.
    cache_write_long  bigint       CHECK (cache_write_long >= 0),
    output            bigint       CHECK (output >= 0),
    -- Where thoughts cost something else than other output.
    reasoning         bigint       CHECK (reasoning >= 0),
    audio_input       bigint       CHECK (audio_input >= 0),
    audio_output      bigint       CHECK (audio_output >= 0),
    image_output      bigint       CHECK (image_output >= 0),
    image             bigint       CHECK (image >= 0),
    request           bigint       CHECK (request >= 0),
    search            bigint       CHECK (search >= 0),
    second            bigint       CHECK (second >= 0),
    character         bigint       CHECK (character >= 0),
    -- A request with more input than this costs, in all its tokens, what follows; NULL there: as usual.
    long_above        bigint       CHECK (long_above > 0),
    long_input        bigint       CHECK (long_input >= 0),
    long_output       bigint       CHECK (long_output >= 0),
    source            text         NOT NULL CHECK (char_length(source) BETWEEN 1 AND 100),
    PRIMARY KEY (model_id, effective_from),
    CHECK (long_above IS NOT NULL OR (long_input IS NULL AND long_output IS NULL)),
    CONSTRAINT model_prices_one_at_a_time EXCLUDE USING gist (
        text_range(model_id, model_id, '[]') WITH &&, tstzrange(effective_from, effective_to) WITH &&)
);

-- Raised by every change, so that processes read the catalogue when there is something new.
CREATE TABLE catalog_version (
    only_row  boolean  PRIMARY KEY DEFAULT true CHECK (only_row),
    version   bigint   NOT NULL
);
INSERT INTO catalog_version (version) VALUES (1);

CREATE FUNCTION raise_catalog_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE catalog_version SET version = version + 1;
    RETURN NULL;
END
$$;
CREATE TRIGGER raise_catalog_version AFTER INSERT OR UPDATE OR DELETE ON models
    FOR EACH STATEMENT EXECUTE FUNCTION raise_catalog_version();
CREATE TRIGGER raise_catalog_version AFTER INSERT OR UPDATE OR DELETE ON model_prices
    FOR EACH STATEMENT EXECUTE FUNCTION raise_catalog_version();

ALTER TABLE models ENABLE ROW LEVEL SECURITY;
ALTER TABLE models FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON models FOR SELECT USING (true);
CREATE POLICY system ON models USING (is_system());

ALTER TABLE model_prices ENABLE ROW LEVEL SECURITY;
ALTER TABLE model_prices FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON model_prices FOR SELECT USING (true);
CREATE POLICY system ON model_prices USING (is_system());

ALTER TABLE catalog_version ENABLE ROW LEVEL SECURITY;
ALTER TABLE catalog_version FORCE ROW LEVEL SECURITY;
CREATE POLICY everybody ON catalog_version FOR SELECT USING (true);
CREATE POLICY system ON catalog_version FOR UPDATE USING (is_system());

GRANT SELECT, INSERT, UPDATE, DELETE ON models, model_prices TO hivegate_app;
GRANT SELECT, UPDATE ON catalog_version TO hivegate_app;
