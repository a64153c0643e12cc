-- When budgets began to refuse requests here. Organizations that were there before are told for a while what would be
-- refused (organizations.budgets_enforced_from).

CREATE TABLE budget_enforcement (
    only_one  boolean      PRIMARY KEY DEFAULT true CHECK (only_one),
    began_at  timestamptz  NOT NULL
);
ALTER TABLE budget_enforcement ENABLE ROW LEVEL SECURITY;
ALTER TABLE budget_enforcement FORCE ROW LEVEL SECURITY;
CREATE POLICY system ON budget_enforcement USING (is_system());
GRANT SELECT, INSERT ON budget_enforcement TO hivegate_app;
