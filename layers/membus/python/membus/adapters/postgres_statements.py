"""What the search index asks of Postgres.

Every statement names the tenant, and row security checks it again.
"""

LOCK_MEMORIES = """
    SELECT pg_advisory_xact_lock(hashtextextended(key, 0))
    FROM (SELECT DISTINCT %(tenant)s || '#' || id AS key FROM unnest(%(memories)s::text[]) AS id ORDER BY key) AS keys
"""
KNOWN_VERSIONS = """
    SELECT group_id, max(version) FROM (
        SELECT group_id, version FROM membus.memories WHERE tenant_id = %(tenant)s AND group_id = ANY(%(memories)s)
        UNION ALL
        SELECT group_id, version + 1 FROM membus.removals WHERE tenant_id = %(tenant)s AND group_id = ANY(%(memories)s)
    ) AS seen GROUP BY group_id
"""
DELETE_PARTS = """
    DELETE FROM membus.memories
    WHERE tenant_id = %(tenant)s AND group_id = ANY(%(memories)s) AND NOT id = ANY(%(ids)s)
"""
PUT_PASSAGES = """
    INSERT INTO membus.memories (
        tenant_id, scope, id, group_id, part, kind, text, embedded_text, content_hash, stems, length, message_length,
        agent_id, session, speaker, metadata, source, occurred_at, valid_until, expires_at,
        version
    ) VALUES (
        %(tenant)s, %(scope)s, %(id)s, %(memory)s, %(part)s, %(kind)s, %(text)s, %(embedded_text)s,
        %(hash)s, %(stems)s, %(length)s, %(message_length)s, %(agent)s, %(session)s, %(speaker)s,
        %(metadata)s, %(source)s, %(occurred_at)s, %(valid_until)s, %(expires_at)s, %(version)s
    ) ON CONFLICT (tenant_id, id) DO UPDATE SET
        scope = excluded.scope, kind = excluded.kind, text = excluded.text,
        embedded_text = excluded.embedded_text, content_hash = excluded.content_hash, stems = excluded.stems,
        length = excluded.length, message_length = excluded.message_length,
        agent_id = excluded.agent_id, session = excluded.session,
        speaker = excluded.speaker, metadata = excluded.metadata, source = excluded.source,
        occurred_at = excluded.occurred_at, valid_until = excluded.valid_until,
        expires_at = excluded.expires_at, version = excluded.version,
        updated_at = now()
"""
# A text whose row has moved on to other words lends its vector before it loses it.
REUSE_VECTORS = """
    INSERT INTO membus.vectors AS mine (
        tenant_id, model, id, scope, content_hash, embedding, kind, agent_id, session, occurred_at, expires_at,
        valid_until
    )
    SELECT m.tenant_id, %(model)s, m.id, m.scope, m.content_hash, known.embedding, m.kind, m.agent_id, m.session,
        m.occurred_at, m.expires_at, m.valid_until
    FROM membus.memories m CROSS JOIN LATERAL (
        SELECT v.embedding FROM membus.vectors v
        WHERE v.tenant_id = m.tenant_id AND v.model = %(model)s AND v.content_hash = m.content_hash LIMIT 1
    ) AS known
    WHERE m.tenant_id = %(tenant)s AND m.id = ANY(%(ids)s)
    ON CONFLICT (tenant_id, model, id) DO UPDATE
        SET content_hash = excluded.content_hash, embedding = excluded.embedding
        WHERE mine.content_hash <> excluded.content_hash AND mine.scope = excluded.scope
"""
DELETE_OUTDATED_VECTORS = """
    DELETE FROM membus.vectors v USING membus.memories m
    WHERE m.tenant_id = %(tenant)s AND m.id = ANY(%(ids)s) AND v.tenant_id = m.tenant_id AND v.id = m.id
        AND (v.content_hash <> m.content_hash OR v.scope <> m.scope)
"""
UPDATE_VECTOR_METADATA = """
    UPDATE membus.vectors v
    SET kind = m.kind, agent_id = m.agent_id, session = m.session, occurred_at = m.occurred_at,
        expires_at = m.expires_at, valid_until = m.valid_until
    FROM membus.memories m
    WHERE m.tenant_id = %(tenant)s AND m.id = ANY(%(ids)s) AND v.tenant_id = m.tenant_id AND v.id = m.id
        AND (v.kind, v.agent_id, v.session, v.occurred_at, v.expires_at, v.valid_until)
            IS DISTINCT FROM (m.kind, m.agent_id, m.session, m.occurred_at, m.expires_at, m.valid_until)
"""
ATTACH_VECTORS = """
    INSERT INTO membus.vectors (
        tenant_id, model, id, scope, content_hash, embedding, kind, agent_id, session, occurred_at, expires_at,
        valid_until
    )
    SELECT m.tenant_id, %(model)s, m.id, m.scope, m.content_hash, %(vector)s::halfvec, m.kind, m.agent_id, m.session,
        m.occurred_at, m.expires_at, m.valid_until
    FROM membus.memories m WHERE m.tenant_id = %(tenant)s AND m.content_hash = %(hash)s
    ON CONFLICT DO NOTHING
"""
WITHOUT_VECTOR = """
    FROM membus.memories m
    LEFT JOIN membus.vectors v ON v.tenant_id = m.tenant_id AND v.model = %(model)s AND v.id = m.id
    WHERE m.tenant_id = %(tenant)s AND v.id IS NULL
"""
RECORD_REMOVAL = """
    INSERT INTO membus.removals (tenant_id, group_id, version) VALUES (%(tenant)s, %(memory)s, %(version)s)
    ON CONFLICT (tenant_id, group_id) DO UPDATE
        SET version = greatest(removals.version, excluded.version), removed_at = now()
"""
DELETE_REMOVAL = """
    DELETE FROM membus.removals WHERE tenant_id = %(tenant)s AND group_id = %(memory)s AND version <= %(version)s
"""
DELETE_MEMORY = "DELETE FROM membus.memories WHERE tenant_id = %(tenant)s AND group_id = %(memory)s AND version <= %(version)s"
DELETE_EXPIRED_REMOVALS = """
    DELETE FROM membus.removals WHERE tenant_id = %(tenant)s AND removed_at < now() - interval '3 days'
"""  # a stream keeps a change for a day
SIMILAR_DOCUMENTS = """
    SELECT m.group_id FROM unnest(%(vectors)s::text[]) WITH ORDINALITY AS wanted (vector, place)
    JOIN membus.memories m ON m.part = wanted.place - 1
    JOIN membus.vectors v ON v.tenant_id = m.tenant_id AND v.model = %(model)s AND v.id = m.id
    WHERE m.tenant_id = %(tenant)s AND m.scope = %(scope)s AND m.kind = 'document'
        AND (m.expires_at IS NULL OR m.expires_at > %(now)s)
        AND NOT EXISTS (
            SELECT FROM membus.memories more
            WHERE more.tenant_id = m.tenant_id AND more.group_id = m.group_id AND more.part = %(parts)s
        )
    GROUP BY m.group_id
    HAVING count(*) = %(parts)s AND max(v.embedding <=> wanted.vector::halfvec) <= %(distance)s
    ORDER BY max(v.embedding <=> wanted.vector::halfvec), m.group_id
"""
KNOWN_VECTORS = """
    SELECT DISTINCT ON (v.content_hash) v.content_hash, v.embedding::text FROM membus.vectors v
    WHERE v.tenant_id = %(tenant)s AND v.model = %(model)s AND v.content_hash = ANY(%(hashes)s)
"""
PASSAGE_TEXTS = """
    SELECT group_id, text FROM membus.memories
    WHERE tenant_id = %(tenant)s AND group_id = ANY(%(memories)s) ORDER BY group_id, part
"""
