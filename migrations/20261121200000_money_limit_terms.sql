-- The limits on an organization's money belong to its terms: processes remember them with its keys.

ALTER TABLE money_limits
    ADD CONSTRAINT money_limits_finite CHECK (isfinite(window_start) AND isfinite(window_end));

-- What is spent and granted changes all the time, and nobody remembers it; which limits there are and when they are good
-- is remembered, so whoever changes that makes what is known of the keys wrong.
CREATE FUNCTION raise_generation_for_money_limit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    organization uuid := CASE TG_OP WHEN 'DELETE' THEN OLD.org_id ELSE NEW.org_id END;
BEGIN
    UPDATE organizations SET key_generation = key_generation + 1 WHERE id = organization;
    RETURN NULL;
END
$$;
CREATE TRIGGER raise_generation AFTER INSERT OR DELETE ON money_limits
    FOR EACH ROW EXECUTE FUNCTION raise_generation_for_money_limit();
CREATE TRIGGER raise_generation_where_it_changes AFTER UPDATE ON money_limits
    FOR EACH ROW WHEN (
        (OLD.id, OLD.kind, OLD.subject, OLD.window_start, OLD.window_end)
        IS DISTINCT FROM (NEW.id, NEW.kind, NEW.subject, NEW.window_start, NEW.window_end)
    )
    EXECUTE FUNCTION raise_generation_for_money_limit();

-- Every look-up of a key reads all that have not ended.
CREATE FUNCTION keep_money_limits_few() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM (
        SELECT FROM money_limits
        WHERE org_id = NEW.org_id AND (window_end IS NULL OR window_end > now()) LIMIT 1000
    ) AS current) >= 1000 THEN
        RAISE EXCEPTION 'an organization has at most 1000 limits on its money at once' USING ERRCODE = 'HG003';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_money_limits_few BEFORE INSERT ON money_limits
    FOR EACH ROW EXECUTE FUNCTION keep_money_limits_few();
