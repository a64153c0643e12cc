-- What is taken on top of what an organization's requests cost, where its plan does not say it; and since when its budgets
-- refuse.

ALTER TABLE organizations
    -- As in plans; they lie over the plan's.
    ADD COLUMN commission_points  integer  CHECK (commission_points BETWEEN 0 AND 100000),
    ADD COLUMN commission_mode    text     CHECK (commission_mode IN ('markup', 'take_rate')),
    -- Until then its budgets refuse nobody, and it is told what they would have refused; NULL: they do at once.
    ADD COLUMN budgets_enforced_from  timestamptz,
    ADD CHECK ((commission_points IS NULL) = (commission_mode IS NULL)),
    ADD CHECK (commission_mode <> 'take_rate' OR commission_points < 10000);

CREATE TRIGGER only_the_instance_gives_terms BEFORE UPDATE ON organizations
    FOR EACH ROW WHEN (
        (NEW.commission_points, NEW.commission_mode, NEW.budgets_enforced_from)
            IS DISTINCT FROM (OLD.commission_points, OLD.commission_mode, OLD.budgets_enforced_from)
        AND NOT is_system()
    )
    EXECUTE FUNCTION only_the_instance_gives();
CREATE TRIGGER only_the_instance_gives_terms_at_first BEFORE INSERT ON organizations
    FOR EACH ROW WHEN (
        num_nonnulls(NEW.commission_points, NEW.commission_mode, NEW.budgets_enforced_from) > 0 AND NOT is_system())
    EXECUTE FUNCTION only_the_instance_gives();
