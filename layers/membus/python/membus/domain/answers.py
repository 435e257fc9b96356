"""What a model proposed for an event, kept beside it.

Read again at the same version, the event costs no question.
"""

from collections.abc import Iterable, Mapping, Sequence

from membus.domain.candidate import Candidate
from membus.domain.identity import Record


class EventAnswer(Record):
    """The candidates of one answer that name the event.

    `by` is the model that gave it, a fallback perhaps.
    """

    by: str
    candidates: tuple[Candidate, ...] = ()


AnswersByEvent = Mapping[str, Sequence[EventAnswer]]
"""By event id; an event in several questions has several answers, one that holds nothing has an empty one."""


def answers_by_event(
    asked: Iterable[str], candidates: Sequence[Candidate], *, by: str
) -> dict[str, EventAnswer]:
    """Return each asked event's part of an answer."""
    return {
        event_id: EventAnswer(
            by=by, candidates=tuple(each for each in candidates if each.event_id == event_id)
        )
        for event_id in dict.fromkeys(asked)
    }
