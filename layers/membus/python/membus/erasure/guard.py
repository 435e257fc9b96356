"""The guard that every reader and writer of users' data asks: what was erased stays erased.

Nothing of a user is written or read while their erasure runs.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from membus.conversations.conversation import Conversation
from membus.conversations.ports import ConversationStore
from membus.core.clock import Clock
from membus.core.erasure import LEDGER_CACHE_LIFETIME, Erasure, SubjectsBeingErased
from membus.core.errors import ConflictError, NotFoundError, UnavailableError
from membus.core.event import RecordedEvent
from membus.core.identity import Owner
from membus.erasure.ports import Erasures

CACHED_USERS_MAX = 20_000
"""Users whose line of the ledger, or its absence, a process keeps: some megabytes."""
RETRY_SECONDS = 60


class CachedErasures:
    """A ledger that reads a user's line once in a minute, so an erasure covers a minute more."""

    def __init__(self, ledger: Erasures, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock
        self._read: OrderedDict[Owner, tuple[datetime, Erasure | None]] = OrderedDict()
        self._lock = Lock()

    def find_erasure(self, owner: Owner) -> Erasure | None:
        now = self._clock()
        with self._lock:
            read = self._read.get(owner)
        if read and now - read[0] < LEDGER_CACHE_LIFETIME:
            return read[1]
        erasure = self._ledger.find_erasure(owner)
        with self._lock:
            self._read[owner] = now, erasure
            self._read.move_to_end(owner)
            while len(self._read) > CACHED_USERS_MAX:
                self._read.popitem(last=False)
        return erasure

    def get_hidden(self, tenant: str) -> SubjectsBeingErased:
        return self._ledger.get_hidden(tenant)


@dataclass(frozen=True)
class ErasureGuard:
    """Raises UnavailableError where the ledger does not answer: then nothing passes."""

    erasures: Erasures

    def is_erased(self, owner: Owner, moment: datetime) -> bool:
        """Return whether what happened to a user, or was learned of them, at a moment was erased."""
        erasure = self.erasures.find_erasure(owner)
        return erasure is not None and erasure.covers_moment(moment)

    def accepts_event(self, recorded: RecordedEvent) -> bool:
        """Return whether an event may be stored; one that was erased may not, however it came back.

        Raises:
            UnavailableError: the user is being erased, and the event is new: it is stored when that is done.
        """
        erasure = self.erasures.find_erasure(recorded.event.owner)
        if erasure is None:
            return True
        if erasure.covers_moment(recorded.true_from):
            return False
        if erasure.running:
            raise UnavailableError(
                "the user is being erased", code="erasing", retry_after_seconds=RETRY_SECONDS
            )
        return True

    def ensure_writable(self, owner: Owner) -> None:
        """Raise ConflictError (`erasing`) where the user is being erased: nothing of them may be written."""
        erasure = self.erasures.find_erasure(owner)
        if erasure and erasure.running:
            raise erasing_error()

    def ensure_visible(self, owner: Owner) -> None:
        """Raise NotFoundError where the user is being erased, by the ledger as it is now.

        Their data counts as gone from the moment of the request.
        """
        ensure_visible(owner.user, self.get_hidden(owner.tenant))

    def load_conversation(
        self, tenant: str, conversation_id: str, conversations: ConversationStore
    ) -> Conversation:
        """Return a conversation that may be read, by the ledger as it is now.

        Raises what `ensure_conversation_visible` raises, and NotFoundError where there is none.
        """
        found = conversations.get_conversation(tenant, conversation_id)
        return ensure_conversation_visible(found, self.get_hidden(tenant), conversations)

    def get_hidden(self, tenant: str) -> SubjectsBeingErased:
        """Return whom no answer may show, by one read of the ledger: a request reads it once."""
        return self.erasures.get_hidden(tenant)


def erasing_error() -> ConflictError:
    return ConflictError("this user is being erased: nothing is written until that is done", code="erasing")


def ensure_visible(user: str, hidden: SubjectsBeingErased) -> None:
    """Raise NotFoundError where the user is being erased."""
    if hidden.contains_user(user):
        raise NotFoundError("nothing is known about this user")


def ensure_conversation_visible(
    conversation: Conversation, hidden: SubjectsBeingErased, conversations: ConversationStore
) -> Conversation:
    """Return a conversation that may be read; it costs no read while nobody is being erased.

    Raises:
        NotFoundError: its owner is being erased.
        UnavailableError: `erasing`, a present or former member is: it waits until their messages are gone.
    """
    if hidden.contains_user(conversation.user_id):
        raise NotFoundError("no such conversation")
    tenant, where = conversation.tenant_id, conversation.conversation_id
    if hidden.users and conversations.filter_by_participant(tenant, [where], hidden.users):
        raise UnavailableError(
            "somebody who takes part is being erased: it is back when their words are gone",
            code="erasing",
            retry_after_seconds=RETRY_SECONDS,
        )
    return conversation
