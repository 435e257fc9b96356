-- Memories to search: one row for each fact, episode, document passage and summary. Derived, hence rebuildable.
-- On RDS the master user may create this extension; elsewhere a superuser has to have done it.
CREATE EXTENSION IF NOT EXISTS vector WITH SCHEMA public;

CREATE TABLE membus.memories (
    tenant_id text NOT NULL,
    scope text NOT NULL,
    id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('fact', 'episode', 'document', 'summary')),
    text text NOT NULL,
    text_search tsvector NOT NULL GENERATED ALWAYS AS (to_tsvector('pg_catalog.english', text)) STORED,
    embedding public.halfvec(1024),
    embedding_model text,
    content_hash text NOT NULL,
    metadata jsonb NOT NULL DEFAULT '{}',
    source jsonb NOT NULL DEFAULT '{}',
    occurred_at timestamptz NOT NULL,
    expires_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- Unique keys hold the tenant: a refused duplicate must not tell one tenant what another one has.
    PRIMARY KEY (tenant_id, id),
    CHECK ((embedding IS NULL) = (embedding_model IS NULL))
);

-- An exact search reads every vector of a scope; out of line each would cost a second look-up.
ALTER TABLE membus.memories ALTER COLUMN embedding SET STORAGE PLAIN;

CREATE INDEX memories_by_scope ON membus.memories (tenant_id, scope, occurred_at DESC);

-- FORCE binds the owner too. A setting that has been used in a session reads back empty, not NULL, when its
-- transaction is over: nullif makes "no tenant" mean no rows in both cases.
ALTER TABLE membus.memories ENABLE ROW LEVEL SECURITY;
ALTER TABLE membus.memories FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON membus.memories
    USING (tenant_id = nullif(current_setting('membus.tenant_id', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('membus.tenant_id', true), ''));

GRANT USAGE ON SCHEMA membus TO membus_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON membus.memories TO membus_app;

-- Settings of the role, not of a session: a SET would pin the connection of RDS Proxy.
ALTER ROLE membus_app SET search_path = membus, public;
ALTER ROLE membus_app SET statement_timeout = '10s';
ALTER ROLE membus_app SET lock_timeout = '2s';
ALTER ROLE membus_app SET idle_in_transaction_session_timeout = '30s';

-- Everybody may make temporary tables unless told otherwise; the functions' role owns nothing.
DO $$
BEGIN
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END
$$;
