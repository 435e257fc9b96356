-- A memory becomes one row for each passage. Its words are stemmed in Python, so that every place that ranks agrees on
-- them; its vectors stand beside it, one for each embedding model, so that a second model can be filled in while the
-- first one serves, and a change of metadata does not rewrite two kilobytes.
ALTER TABLE membus.memories
    DROP COLUMN text_search,
    DROP COLUMN embedding,
    DROP COLUMN embedding_model,
    ADD COLUMN group_id text NOT NULL,
    ADD COLUMN part integer NOT NULL CHECK (part >= 0),
    ADD COLUMN agent_id text,
    ADD COLUMN session text NOT NULL DEFAULT '',
    ADD COLUMN speaker text,
    ADD COLUMN embedded_text text NOT NULL,
    ADD COLUMN stems text NOT NULL DEFAULT '',
    ADD COLUMN length integer NOT NULL DEFAULT 0,
    ADD COLUMN message_length integer NOT NULL DEFAULT 0,
    ADD COLUMN terms tsvector NOT NULL GENERATED ALWAYS AS (array_to_tsvector(string_to_array(stems, ' '))) STORED,
    ADD COLUMN version bigint NOT NULL,
    ADD UNIQUE (tenant_id, group_id, part);
COMMENT ON COLUMN membus.memories.content_hash IS 'SHA-256 of embedded_text: what was embedded once is never embedded again.';

-- A result is read together with what stands beside it in its session.
CREATE INDEX memories_by_session ON membus.memories (tenant_id, scope, session, occurred_at, group_id, part);
CREATE INDEX memories_by_content ON membus.memories (tenant_id, content_hash);

CREATE TABLE membus.vectors (
    tenant_id text NOT NULL,
    model text NOT NULL,
    id text NOT NULL,
    scope text NOT NULL,
    content_hash text NOT NULL,
    embedding public.halfvec NOT NULL,
    dimensions integer NOT NULL GENERATED ALWAYS AS (public.vector_dims(embedding)) STORED,
    PRIMARY KEY (tenant_id, model, id),
    FOREIGN KEY (tenant_id, id) REFERENCES membus.memories (tenant_id, id) ON DELETE CASCADE,
    CHECK (public.l2_norm(embedding) > 0)
);

-- An exact search reads every vector of a scope; out of line each would cost a second look-up.
ALTER TABLE membus.vectors ALTER COLUMN embedding SET STORAGE PLAIN;

CREATE INDEX vectors_by_scope ON membus.vectors (tenant_id, model, scope);
CREATE INDEX vectors_by_content ON membus.vectors (tenant_id, model, content_hash);

-- What was removed, so that an older copy of it which is still under way does not bring it back.
CREATE TABLE membus.removals (
    tenant_id text NOT NULL,
    group_id text NOT NULL,
    version bigint NOT NULL,
    removed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, group_id)
);

ALTER TABLE membus.vectors ENABLE ROW LEVEL SECURITY;
ALTER TABLE membus.vectors FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON membus.vectors
    USING (tenant_id = nullif(current_setting('membus.tenant_id', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('membus.tenant_id', true), ''));

ALTER TABLE membus.removals ENABLE ROW LEVEL SECURITY;
ALTER TABLE membus.removals FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON membus.removals
    USING (tenant_id = nullif(current_setting('membus.tenant_id', true), ''))
    WITH CHECK (tenant_id = nullif(current_setting('membus.tenant_id', true), ''));

GRANT SELECT, INSERT, UPDATE, DELETE ON membus.vectors, membus.removals TO membus_app;
