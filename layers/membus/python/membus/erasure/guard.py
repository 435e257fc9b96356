"""The gate of the erasure ledger.

What was erased stays so, and nothing is written while somebody is being erased.
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
"""Users whose line, or its absence, a process keeps: some megabytes."""
RETRY_SECONDS = 60


class CachedErasures:
    """A ledger that is asked about a user once in a minute.

    An erasure counts a minute more than it was asked for.
    """

    def __init__(self, ledger: Erasures, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock
        self._heard: OrderedDict[Owner, tuple[datetime, Erasure | None]] = OrderedDict()
        self._lock = Lock()

    def find_erasure(self, owner: Owner) -> Erasure | None:
        now = self._clock()
        with self._lock:
            heard = self._heard.get(owner)
        if heard and now - heard[0] < LEDGER_CACHE_LIFETIME:
            return heard[1]
        erasure = self._ledger.find_erasure(owner)
        with self._lock:
            self._heard[owner] = now, erasure
            self._heard.move_to_end(owner)
            while len(self._heard) > CACHED_USERS_MAX:
                self._heard.popitem(last=False)
        return erasure

    def get_hidden(self, tenant: str) -> SubjectsBeingErased:
        return self._ledger.get_hidden(tenant)


@dataclass(frozen=True)
class ErasureGuard:
    """What a writer asks. Where the ledger does not answer, nothing passes."""

    erasures: Erasures

    def is_erased(self, owner: Owner, moment: datetime) -> bool:
        """Whether what happened to, or was learned of, a user at a moment was erased."""
        erasure = self.erasures.find_erasure(owner)
        return erasure is not None and erasure.covers_moment(moment)

    def accepts_event(self, recorded: RecordedEvent) -> bool:
        """Whether an event may be kept; one that was erased may not, however it came back.

        Raises:
            UnavailableError: the user is being erased, and this is new: it has its turn when that is done.
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
        """Let a user's data be written now.

        Raises:
            ConflictError: `erasing`, the user is being erased.
        """
        erasure = self.erasures.find_erasure(owner)
        if erasure and erasure.running:
            raise erasing_error()

    def ensure_visible(self, owner: Owner) -> None:
        """Let a user's data be read; it is gone from the moment its erasure was asked for.

        The ledger is asked anew.

        Raises:
            NotFoundError: the user is being erased.
        """
        ensure_visible(owner.user, self.get_hidden(owner.tenant))

    def load_conversation(
        self, tenant: str, conversation_id: str, conversations: ConversationStore
    ) -> Conversation:
        """Return a conversation that may be read, as `shown` says; the ledger is asked anew.

        Raises:
            NotFoundError: there is none.
        """
        found = conversations.get_conversation(tenant, conversation_id)
        return ensure_conversation_visible(found, self.get_hidden(tenant), conversations)

    def get_hidden(self, tenant: str) -> SubjectsBeingErased:
        """Return whom no answer may show, by one read of the ledger: a request asks once."""
        return self.erasures.get_hidden(tenant)


def erasing_error() -> ConflictError:
    return ConflictError("this user is being erased: nothing is written until that is done", code="erasing")


def ensure_visible(user: str, hidden: SubjectsBeingErased) -> None:
    """Let a user's data be read; NotFoundError where they are being erased."""
    if hidden.contains_user(user):
        raise NotFoundError("nothing is known about this user")


def ensure_conversation_visible(
    conversation: Conversation, hidden: SubjectsBeingErased, conversations: ConversationStore
) -> Conversation:
    """Return a conversation that may be read. While nobody is being erased nothing is asked for it.

    Raises:
        NotFoundError: its owner is being erased.
        UnavailableError: `erasing`, somebody who takes part in it, or did, is: it waits until their words are
            gone.
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
