"""Removal of the items of deleted conversations; a run that is cut off is continued by the next."""

from collections.abc import Callable, Sequence

from functions.sweep.schemas import Deletion
from membus.conversations.ports import DeletedConversationItems
from membus.core.errors import UnavailableError


def clean_up_conversations(
    deletions: Sequence[Deletion],
    *,
    deleted_items: DeletedConversationItems,
    seconds_left: Callable[[], float],
    on_failure: Callable[[str, str], None],
) -> list[str]:
    """Return the sequence numbers of the deletions that must be delivered again.

    They lacked time, or a store was away, of which `on_failure` gets the tenant and the reason.
    """
    unfinished: list[str] = []
    for deletion in deletions:
        tenant, conversation_id = deletion.conversation_key
        try:
            done = _remove_items(tenant, conversation_id, deleted_items, seconds_left)
        except UnavailableError as error:
            on_failure(tenant, error.detail)
            done = False
        if not done:
            unfinished.append(deletion.images.sequence_number)
    return unfinished


def _remove_items(
    tenant: str,
    conversation_id: str,
    deleted_items: DeletedConversationItems,
    seconds_left: Callable[[], float],
) -> bool:
    while seconds_left() > 0:
        if not deleted_items.remove_batch(tenant, conversation_id):
            return True
    return False
