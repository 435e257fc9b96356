-- A row may tell of a past: what held from `occurred_at` until `valid_until`. Without that it holds now.
ALTER TABLE membus.memories ADD COLUMN valid_until timestamptz;

-- What a search is narrowed by lies beside each vector too: the nearest are found without a look at the texts.
ALTER TABLE membus.vectors
    ADD COLUMN kind text,
    ADD COLUMN agent_id text,
    ADD COLUMN session text,
    ADD COLUMN occurred_at timestamptz,
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN valid_until timestamptz;

-- Row security that is forced hides rows from the owner too; it is off for this one statement of this transaction.
ALTER TABLE membus.memories NO FORCE ROW LEVEL SECURITY;
ALTER TABLE membus.vectors NO FORCE ROW LEVEL SECURITY;
UPDATE membus.vectors v
SET kind = m.kind, agent_id = m.agent_id, session = m.session, occurred_at = m.occurred_at, expires_at = m.expires_at
FROM membus.memories m WHERE m.tenant_id = v.tenant_id AND m.id = v.id;
ALTER TABLE membus.memories FORCE ROW LEVEL SECURITY;
ALTER TABLE membus.vectors FORCE ROW LEVEL SECURITY;

ALTER TABLE membus.vectors
    ALTER COLUMN kind SET NOT NULL,
    ALTER COLUMN session SET NOT NULL,
    ALTER COLUMN occurred_at SET NOT NULL;

-- In the order of a hash the first five hundred of a scope are a sample of it.
DROP INDEX membus.vectors_by_scope;
CREATE INDEX vectors_by_scope ON membus.vectors (tenant_id, model, scope, content_hash);

-- Messages of one moment follow by their ids, the tenth behind the second.
DROP INDEX membus.memories_by_session;
CREATE INDEX memories_by_session
    ON membus.memories (tenant_id, scope, session, occurred_at, length(group_id), group_id, part);

-- How many vectors a scope has, kept by the database itself: nobody counts, and no way of writing can forget it.
CREATE TABLE membus.scopes (
    tenant_id text NOT NULL,
    model text NOT NULL,
    scope text NOT NULL,
    rows bigint NOT NULL,
    PRIMARY KEY (tenant_id, model, scope)
);

ALTER TABLE membus.scopes ENABLE ROW LEVEL SECURITY;
ALTER TABLE membus.scopes FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON membus.scopes
    USING (tenant_id = nullif(current_setting('membus.tenant_id', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('membus.tenant_id', true), ''));
-- The owner makes the approximate index of a large scope, and needs to see names and sizes for it, and no more.
CREATE POLICY owner_sees_sizes ON membus.scopes FOR SELECT TO CURRENT_USER USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON membus.scopes TO membus_app;

CREATE FUNCTION membus.count_vectors() RETURNS trigger LANGUAGE plpgsql SET search_path = membus AS $$
BEGIN
    INSERT INTO membus.scopes AS known (tenant_id, model, scope, rows)
    SELECT tenant_id, model, scope, CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END FROM changed GROUP BY tenant_id, model, scope
    ORDER BY tenant_id, model, scope
    ON CONFLICT (tenant_id, model, scope) DO UPDATE SET rows = known.rows + excluded.rows;
    RETURN NULL;
END
$$;
CREATE TRIGGER count_new AFTER INSERT ON membus.vectors REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION membus.count_vectors();
CREATE TRIGGER count_gone AFTER DELETE ON membus.vectors REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION membus.count_vectors();

ALTER TABLE membus.vectors NO FORCE ROW LEVEL SECURITY;
ALTER TABLE membus.scopes NO FORCE ROW LEVEL SECURITY;
INSERT INTO membus.scopes (tenant_id, model, scope, rows)
SELECT tenant_id, model, scope, count(*) FROM membus.vectors GROUP BY tenant_id, model, scope;
ALTER TABLE membus.vectors FORCE ROW LEVEL SECURITY;
ALTER TABLE membus.scopes FORCE ROW LEVEL SECURITY;

-- Statements of a search run for milliseconds: compiling one costs more than it saves.
ALTER ROLE membus_app SET jit = off;
