"""A turn over HTTP: worked on in an invocation of its own, and waited for as long as a request may wait."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, repeat

from functions.chat.admission import ensure_same_message
from functions.chat.streaming import TurnJob, start_turn_job
from membus.domain.conversation import Turn
from membus.domain.pending import ReplyJob
from membus.ports.clock import Clock
from membus.ports.conversations import ConversationStore
from membus.ports.pending import ReplyJobStore
from membus.ports.turns import TurnQueue

POLL_SECONDS = (0.05, 0.05, 0.1, 0.1, 0.15, 0.2)
POLL_SECONDS_MAX = 0.25
"""Seconds between two looks at a promise; a look is one read unit, an answer takes seconds."""


@dataclass(frozen=True)
class ReplyWaiter:
    """Whoever waits asks no model.

    However late an answer is, it is asked for once, and the request may be repeated.
    """

    conversations: ConversationStore
    pending: ReplyJobStore
    turns: TurnQueue
    clock: Clock
    pause: Callable[[float], None]
    elapsed: Callable[[], float]

    def answer(self, turn: TurnJob, *, seconds: float) -> Turn | ReplyJob:
        """Have the turn worked on and return it, or the promise of its reply where that takes longer.

        Raises:
            MembusError: as `promise`, and what the work was given up for.
        """
        patient = turn.model_copy(update={"waited_until": self.clock() + timedelta(seconds=seconds)})
        first = start_turn_job(patient, self.pending, self.turns, self.clock())
        for wait in self._pauses(seconds):
            known = self.pending.of(turn.tenant, turn.conversation_id, request_key=turn.request_id)
            if known and known.failed:
                raise known.failed.error()
            if known and known.became:
                return self._stored(turn) or first
            self.pause(wait)
        return first

    def _stored(self, turn: TurnJob) -> Turn | None:
        stored = self.conversations.turn(turn.tenant, turn.conversation_id, turn.request_id)
        if stored:
            ensure_same_message(stored.request, turn.message)
        return stored

    def _pauses(self, seconds: float) -> Iterator[float]:
        """Yield pauses until so much time has passed, with the looks in between."""
        begun, paused = self.elapsed(), 0.0
        for pause in chain(POLL_SECONDS, repeat(POLL_SECONDS_MAX)):
            yield pause
            paused += pause
            if max(paused, self.elapsed() - begun) >= seconds:
                return
