-- When a key was last used is noted for keys of all organizations in one statement, by the system, which may change
-- nothing else of a key.

CREATE POLICY note_use_reads ON api_keys FOR SELECT USING (is_system());
CREATE POLICY note_use ON api_keys FOR UPDATE USING (is_system());

CREATE FUNCTION only_note_use() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.org_id IS DISTINCT FROM current_org()
        AND to_jsonb(NEW) - 'last_used_at' IS DISTINCT FROM to_jsonb(OLD) - 'last_used_at'
    THEN
        RAISE EXCEPTION 'the system may note the use of a key and nothing else'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER only_note_use BEFORE UPDATE ON api_keys
    FOR EACH ROW WHEN (is_system()) EXECUTE FUNCTION only_note_use();
