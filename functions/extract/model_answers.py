"""Asking the model what events say, in as few questions as fit; a question that fails is halved."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeVar

from functions.extract.ports import FactPorts
from functions.extract.prompt import ANSWER_TOKENS_MAX, Candidates, EventText, prompt_for
from membus.core.errors import MembusError, ModelError, UnavailableError
from membus.core.event import RecordedEvent
from membus.core.tokens import TokenUsage, estimate_tokens
from membus.episodes.model import ReadingCost
from membus.facts.candidates import AnswersByEvent, Candidate, EventAnswer, answers_by_event
from membus.facts.ports import ModelQuery
from membus.facts.rules import needs_model
from membus.facts.validation.validator import is_grounded
from membus.llm.ports import StructuredAnswer
from membus.search.passages import split_passages

T = TypeVar("T")

QUESTION_TOKENS_MAX = 12_000
"""Tokens of events in one question, about a day of chat.

Longer prompts find less of what stands in their middle.
"""
EVENT_PARTS_MAX = 5
"""An event in more questions is a document; 200,000 bytes of English, the API's bound, take fewer."""
MODEL_SECONDS_MIN = 5
COST_DECIMALS = 9
"""Decimals that a cost is kept with: a token of the cheapest model costs a ten-millionth of a dollar."""


@dataclass(frozen=True)
class BatchAnswers:
    """What models answered about events, by event id.

    `known` was answered, and stored, before; `new` now, at these `costs`. `foreign` are candidates that are
    not grounded in their event, from questions about several users: they are validated, never stored.
    `unread` says why an event has no answer.
    """

    known: AnswersByEvent = field(default_factory=dict)
    new: dict[str, list[EventAnswer]] = field(default_factory=dict)
    foreign: dict[str, list[EventAnswer]] = field(default_factory=dict)
    costs: dict[str, ReadingCost] = field(default_factory=dict)
    unread: dict[str, MembusError] = field(default_factory=dict)

    def for_events(self, event_ids: Collection[str]) -> "BatchAnswers":
        """Return the part that is about some events."""
        return BatchAnswers(
            known=_only(self.known, event_ids),
            new=_only(self.new, event_ids),
            foreign=_only(self.foreign, event_ids),
            costs=_only(self.costs, event_ids),
            unread=_only(self.unread, event_ids),
        )

    def candidates_by_model(self) -> dict[str, list[Candidate]]:
        candidates: dict[str, list[Candidate]] = {}
        for answer in chain(*self.known.values(), *self.new.values(), *self.foreign.values()):
            candidates.setdefault(answer.by, []).extend(answer.candidates)
        return {model: proposed for model, proposed in candidates.items() if proposed}


def _only(by_event: Mapping[str, T], event_ids: Collection[str]) -> dict[str, T]:
    return {event_id: value for event_id, value in by_event.items() if event_id in event_ids}


def ask_model(
    events: Sequence[RecordedEvent], ports: FactPorts, *, redelivered: Collection[str] = ()
) -> BatchAnswers:
    """Return the answers about what users said in events of one tenant.

    An event that is `redelivered` may have been answered without a commit: that answer is taken, if there is
    one. A question without a usable answer is halved, down to the one event that is to blame. A model that is
    down, or out of time, leaves the rest unread.
    """
    asked = [recorded for recorded in events if needs_model(recorded.event)]
    answers = BatchAnswers(_known_answers([each for each in asked if each.event_id in redelivered], ports))
    new = (recorded for recorded in asked if recorded.event_id not in answers.known)
    for question in _questions(_passages(new, answers)):
        _ask(question, answers, ports)
    for event_id in answers.unread:
        # Of an event in parts some may have been answered.
        answers.new.pop(event_id, None)
        answers.foreign.pop(event_id, None)
    return answers


def query_of(answers: BatchAnswers, ports: FactPorts) -> ModelQuery | None:
    """Return what the store keeps of new answers, so that reading their events again costs no question."""
    if not answers.new:
        return None
    return ModelQuery(ports.reading.instructions.version, ports.model_id, answers.new)


def _known_answers(events: Sequence[RecordedEvent], ports: FactPorts) -> AnswersByEvent:
    if not events:
        return {}
    return ports.answers.get_answers(
        {recorded.event_id: recorded.owner for recorded in events},
        prompt_version=ports.reading.instructions.version,
        model=ports.model_id,
    )


def _passages(events: Iterable[RecordedEvent], answers: BatchAnswers) -> Iterator[EventText]:
    """Yield the text of each event, a very long one in parts; one that is even longer stays unread."""
    for recorded in events:
        text = recorded.event.user_text or ""
        is_long = estimate_tokens(text) > QUESTION_TOKENS_MAX
        parts = split_passages(text, QUESTION_TOKENS_MAX) if is_long else [text]
        if len(parts) > EVENT_PARTS_MAX:
            error = ModelError("the text is too long to be read", reason="too_long")
            answers.unread[recorded.event_id] = error
        else:
            yield from (EventText(recorded, part) for part in parts)


def _questions(passages: Iterable[EventText]) -> Iterator[list[EventText]]:
    """Yield as few questions as hold all passages, each within the bound unless one passage is above it."""
    question: list[EventText] = []
    tokens_left = QUESTION_TOKENS_MAX
    for passage in passages:
        tokens = estimate_tokens(passage.text)
        if question and tokens > tokens_left:
            yield question
            question, tokens_left = [], QUESTION_TOKENS_MAX
        question.append(passage)
        tokens_left -= tokens
    if question:
        yield question


def _ask(question: Sequence[EventText], answers: BatchAnswers, ports: FactPorts) -> None:
    try:
        seconds = ports.seconds_left()
        if seconds < MODEL_SECONDS_MIN:
            raise UnavailableError("too little time is left of this invocation to ask the model")
        model = ports.model(question[0].recorded.owner.tenant)
        answer = model.answer(
            prompt_for(question, ports.reading.instructions),
            Candidates,
            max_tokens=ANSWER_TOKENS_MAX,
            timeout_seconds=seconds,
        )
    except MembusError as error:
        if isinstance(error, ModelError) and len(question) > 1:
            middle = len(question) // 2
            _ask(question[:middle], answers, ports)
            _ask(question[middle:], answers, ports)
        else:
            answers.unread.update(dict.fromkeys((passage.event_id for passage in question), error))
    else:
        _add_answer(answer, question, answers, ports)


def _add_answer(
    answer: StructuredAnswer[Candidates],
    question: Sequence[EventText],
    answers: BatchAnswers,
    ports: FactPorts,
) -> None:
    events = {passage.event_id: passage.recorded for passage in question}
    is_shared = len({recorded.owner for recorded in events.values()}) > 1
    own: list[Candidate] = []
    for candidate in answer.value.facts:
        if candidate.event_id not in events:
            ports.monitor.count_metric("CandidatesRefused_unknown_event")
        elif is_shared and not is_grounded(candidate, events[candidate.event_id]):
            foreign = EventAnswer(by=answer.model, candidates=(candidate,))
            answers.foreign.setdefault(candidate.event_id, []).append(foreign)
        else:
            own.append(candidate)
    for event_id, given in answers_by_event(events, own, by=answer.model).items():
        answers.new.setdefault(event_id, []).append(given)
    cost = reading_cost_per_event(
        answer.usage,
        model=answer.model,
        prompt_version=ports.reading.instructions.version,
        shared_by=len(question),
    )
    for passage in question:
        before = answers.costs.get(passage.event_id)
        answers.costs[passage.event_id] = before + cost if before else cost


def reading_cost_per_event(
    usage: TokenUsage, *, model: str, prompt_version: str, shared_by: int
) -> ReadingCost:
    """Return one event's part of a question's usage; tokens from the provider's cache count as read in."""
    tokens_in = usage.input + usage.cache_read + usage.cache_write
    return ReadingCost(
        model=model,
        prompt_version=prompt_version,
        shared_by=shared_by,
        tokens_in=round(tokens_in / shared_by, COST_DECIMALS),
        tokens_out=round(usage.output / shared_by, COST_DECIMALS),
        dollars=None if usage.dollars is None else round(usage.dollars / shared_by, COST_DECIMALS),
    )
