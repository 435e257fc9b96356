"""What the hot tier holds of a live conversation beside its window, each with what tells that it is still exact."""

from datetime import datetime

from membus.domain.entities import EntitySnapshot
from membus.domain.fresh import UnprocessedMessage
from membus.domain.identity import Id, Owner, Record
from membus.domain.pending import StepProgress


class CachedEntities(Record):
    """Exact for the messages that it names: a fold over them comes to nothing else."""

    tenant_id: Id
    conversation_id: Id
    folded: EntitySnapshot


class CachedProgress(Record):
    """What tools gave to a turn that is not answered yet.

    Exact by its digest, which stands with the promise.
    """

    tenant_id: Id
    conversation_id: Id
    request_key: str
    progress: StepProgress


class CachedUnprocessed(Record):
    """A user's words that nobody has learned from yet: exact as long as their `stamp` is the stored one."""

    owner: Owner
    stamp: str
    words: tuple[UnprocessedMessage, ...]

    def unexpired(self, now: datetime) -> list[UnprocessedMessage]:
        return [fresh for fresh in self.words if fresh.expires_at > now]
