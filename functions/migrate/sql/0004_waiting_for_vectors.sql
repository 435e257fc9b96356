-- Beside the vectors of each scope its texts are counted, as those of the model '': what is missing waits for its vector.
CREATE FUNCTION membus.count_texts() RETURNS trigger LANGUAGE plpgsql SET search_path = membus AS $$
BEGIN
    INSERT INTO membus.scopes AS known (tenant_id, model, scope, rows)
    SELECT tenant_id, '', scope, CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END FROM changed
    GROUP BY tenant_id, scope ORDER BY tenant_id, scope
    ON CONFLICT (tenant_id, model, scope) DO UPDATE SET rows = known.rows + excluded.rows;
    RETURN NULL;
END
$$;
CREATE TRIGGER count_new AFTER INSERT ON membus.memories REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION membus.count_texts();
CREATE TRIGGER count_gone AFTER DELETE ON membus.memories REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION membus.count_texts();

CREATE FUNCTION membus.move_texts() RETURNS trigger LANGUAGE plpgsql SET search_path = membus AS $$
BEGIN
    INSERT INTO membus.scopes AS known (tenant_id, model, scope, rows)
    SELECT tenant_id, '', scope, sum(step) FROM (
        SELECT tenant_id, scope, 1 AS step FROM after UNION ALL SELECT tenant_id, scope, -1 FROM before
    ) AS moved
    GROUP BY tenant_id, scope HAVING sum(step) <> 0 ORDER BY tenant_id, scope
    ON CONFLICT (tenant_id, model, scope) DO UPDATE SET rows = known.rows + excluded.rows;
    RETURN NULL;
END
$$;
CREATE TRIGGER count_moved AFTER UPDATE ON membus.memories REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION membus.move_texts();

-- Row security that is forced hides rows from the owner too; it is off for this one statement of this transaction.
ALTER TABLE membus.memories NO FORCE ROW LEVEL SECURITY;
ALTER TABLE membus.scopes NO FORCE ROW LEVEL SECURITY;
INSERT INTO membus.scopes (tenant_id, model, scope, rows)
SELECT tenant_id, '', scope, count(*) FROM membus.memories GROUP BY tenant_id, scope;
ALTER TABLE membus.memories FORCE ROW LEVEL SECURITY;
ALTER TABLE membus.scopes FORCE ROW LEVEL SECURITY;
