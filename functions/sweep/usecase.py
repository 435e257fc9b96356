"""Remove what is left of deleted conversations, however much it is.

Who is cut off goes on where it stopped.
"""

from collections.abc import Callable, Sequence

from functions.sweep.schemas import Deletion
from membus.conversations.ports import DeletedConversationItems
from membus.core.errors import UnavailableError


def clean_up_conversations(
    deletions: Sequence[Deletion],
    *,
    remains: DeletedConversationItems,
    seconds_left: Callable[[], float],
    on_failure: Callable[[str, str], None],
) -> list[str]:
    """Return the sequence numbers of the deletions to deliver again.

    Unfinished for want of time, or of a store.

    `on_failure` is told of a tenant, and why.
    """
    unfinished: list[str] = []
    for deletion in deletions:
        tenant, conversation_id = deletion.conversation_key
        try:
            done = _removed(tenant, conversation_id, remains, seconds_left)
        except UnavailableError as error:
            on_failure(tenant, error.detail)
            done = False
        if not done:
            unfinished.append(deletion.images.sequence_number)
    return unfinished


def _removed(
    tenant: str, conversation_id: str, remains: DeletedConversationItems, seconds_left: Callable[[], float]
) -> bool:
    while seconds_left() > 0:
        if not remains.remove_batch(tenant, conversation_id):
            return True
    return False
