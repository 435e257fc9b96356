"""What the hot tier holds of a live conversation beside its window, each with what tells that it is still exact."""

from datetime import datetime

from membus.domain.entities import Folded
from membus.domain.fresh import Fresh
from membus.domain.identity import Id, Owner, Record
from membus.domain.pending import Progress


class HotEntities(Record):
    """Exact for the messages that it names: a fold over them comes to nothing else."""

    tenant_id: Id
    conversation_id: Id
    folded: Folded


class HotProgress(Record):
    """What tools gave to a turn that is not answered yet.

    Exact by its digest, which stands with the promise.
    """

    tenant_id: Id
    conversation_id: Id
    request_key: str
    progress: Progress


class HotFresh(Record):
    """A user's words that nobody has learned from yet: exact as long as their `stamp` is the stored one."""

    owner: Owner
    stamp: str
    words: tuple[Fresh, ...]

    def unexpired(self, now: datetime) -> list[Fresh]:
        return [fresh for fresh in self.words if fresh.expires_at > now]
