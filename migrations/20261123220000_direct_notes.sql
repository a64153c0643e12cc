-- What is to be known of a request that the database has paid for alone, should its gateway die: as Redis has it of the others.
ALTER TABLE money_grants ADD COLUMN note bytea;

-- Loops that have such grants say here that they live, because Redis may not hear them.
CREATE TABLE money_workers (
    worker   bigint      PRIMARY KEY,
    seen_at  timestamptz NOT NULL
);
ALTER TABLE money_workers ENABLE ROW LEVEL SECURITY;
ALTER TABLE money_workers FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON money_workers USING (is_system());
GRANT SELECT, INSERT, UPDATE, DELETE ON money_workers TO hivegate_app;
