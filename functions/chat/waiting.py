"""A turn over HTTP: worked on in an invocation of its own, and waited for as long as a request may wait."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, repeat

from functions.chat.admission import answers
from functions.chat.streaming import LongTurn, promise
from membus.domain.conversation import Turn
from membus.domain.pending import PendingReply
from membus.ports.clock import Clock
from membus.ports.conversations import ConversationStore
from membus.ports.pending import PendingReplies
from membus.ports.turns import BackgroundTurns

PAUSES = (0.05, 0.05, 0.1, 0.1, 0.15, 0.2)
LAST_PAUSE = 0.25
"""Seconds between two looks at a promise; a look is one read unit, an answer takes seconds."""


@dataclass(frozen=True)
class Waiting:
    """Whoever waits asks no model.

    However late an answer is, it is asked for once, and the request may be repeated.
    """

    conversations: ConversationStore
    pending: PendingReplies
    turns: BackgroundTurns
    clock: Clock
    pause: Callable[[float], None]
    elapsed: Callable[[], float]

    def answer(self, turn: LongTurn, *, seconds: float) -> Turn | PendingReply:
        """Have the turn worked on and return it, or the promise of its reply where that takes longer.

        Raises:
            MembusError: as `promise`, and what the work was given up for.
        """
        patient = turn.model_copy(update={"waited_until": self.clock() + timedelta(seconds=seconds)})
        first = promise(patient, self.pending, self.turns, self.clock())
        for wait in self._pauses(seconds):
            known = self.pending.of(turn.tenant, turn.conversation_id, request_key=turn.request_id)
            if known and known.failed:
                raise known.failed.error()
            if known and known.became:
                return self._stored(turn) or first
            self.pause(wait)
        return first

    def _stored(self, turn: LongTurn) -> Turn | None:
        stored = self.conversations.turn(turn.tenant, turn.conversation_id, turn.request_id)
        if stored:
            answers(stored.request, turn.message)
        return stored

    def _pauses(self, seconds: float) -> Iterator[float]:
        """Yield pauses until so much time has passed, with the looks in between."""
        begun, paused = self.elapsed(), 0.0
        for pause in chain(PAUSES, repeat(LAST_PAUSE)):
            yield pause
            paused += pause
            if max(paused, self.elapsed() - begun) >= seconds:
                return
