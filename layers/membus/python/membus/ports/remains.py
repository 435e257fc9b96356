"""What is left of deleted conversations."""

from typing import Protocol


class DeletedConversationItems(Protocol):
    def remove(self, tenant: str, conversation_id: str) -> bool:
        """Remove some of what is left of a deleted conversation, with its large texts.

        Return whether more is left.

        Of a conversation that is not deleted nothing is removed. May be repeated, and go on where another
        stopped.

        Raises:
            UnavailableError: a store is busy or out of reach; what is removed stays so.
        """
