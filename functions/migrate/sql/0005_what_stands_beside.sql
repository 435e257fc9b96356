-- What was said beside a message is found by its first passage: an index of those alone, which also tells what has
-- expired, answers without a look at the texts.
CREATE INDEX memories_beside
    ON membus.memories (tenant_id, scope, session, occurred_at, length(group_id), group_id) INCLUDE (id, expires_at)
    WHERE part = 0;
DROP INDEX membus.memories_by_session;
