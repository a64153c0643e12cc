-- What is to be known of a request that the database has paid for alone, should its gateway die: as Redis has it of the others.
ALTER TABLE money_grants ADD COLUMN note bytea;
