"""How far a conversation has come: what its window and its summaries start from, kept with its metadata."""

from membus.domain.identity import Id, Record
from membus.domain.summary import SummaryCheckpoint


class WindowStart(Record):
    """Where the window begins: after message `after`, with so many tokens before it.

    The prompt shows version `version` of the outline until the next cut, though newer ones may exist: what
    stands before the window changes only when the window does. Results of tools up to `stubs_until` are
    stubs. `uncovered` says that no summary reached so far when the window had to be cut.
    """

    version: int = 0
    after: Id | None = None
    tokens: int = 0
    stubs_until: Id | None = None
    uncovered: bool = False


class TokenRatio(Record):
    """Tokens that `model` counts for one that is estimated."""

    model: str
    ratio: float


class ConversationCounters(Record):
    """`tokens` counts all messages ever, by estimate and with their frames.

    `borders` are the outline's newest.
    """

    tokens: int = 0
    borders: tuple[SummaryCheckpoint, ...] = ()
    cut: WindowStart = WindowStart()
    rate: TokenRatio | None = None

    @property
    def covered(self) -> SummaryCheckpoint:
        """Return how far the summaries reach."""
        return self.borders[-1] if self.borders else SummaryCheckpoint()
