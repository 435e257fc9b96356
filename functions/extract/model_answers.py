"""Read what people said in as few questions as the bound on their words allows, and tell what could not be read.

What was answered about events that came before, and could not be committed then.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from functions.extract.prompt import (
    ANSWER_TOKENS_MAX,
    CURRENT_INSTRUCTIONS,
    Candidates,
    EventText,
    ExtractionInstructions,
    prompt_for,
)
from membus.core.errors import MembusError, ModelError, UnavailableError
from membus.core.event import RecordedEvent
from membus.core.tokens import TokenUsage, estimate_tokens
from membus.episodes.model import ReadingCost
from membus.facts.candidates import AnswersByEvent, Candidate, EventAnswer, answers_by_event
from membus.facts.ports import AnswerStore, ModelQuery
from membus.facts.validation.validator import is_grounded
from membus.llm.ports import LanguageModel, StructuredAnswer
from membus.search.passages import split_passages

SHARE_DECIMALS = 9
"""Decimals that a share is kept with: a token of the cheapest model costs a ten-millionth of a dollar."""


def reading_cost_per_event(
    usage: TokenUsage, *, model: str, prompt_version: str, shared_by: int
) -> ReadingCost:
    """Return one event's part of a question's usage.

    What came from the provider's cache counts as read in.
    """
    read_in = usage.input + usage.cache_read + usage.cache_write
    return ReadingCost(
        model=model,
        prompt_version=prompt_version,
        shared_by=shared_by,
        tokens_in=round(read_in / shared_by, SHARE_DECIMALS),
        tokens_out=round(usage.output / shared_by, SHARE_DECIMALS),
        dollars=None if usage.dollars is None else round(usage.dollars / shared_by, SHARE_DECIMALS),
    )


QUESTION_TOKENS_MAX = 12_000
"""Words in one question: what a day of chat comes to.

Longer prompts find less of what stands in their middle.
"""
EVENT_PARTS_MAX = 5
"""An event that takes more questions is a document.

200,000 bytes of English, the most the door takes, are below it.
"""
MODEL_SECONDS_MIN = 5


@dataclass
class BatchAnswers:
    """What each model proposes, what each event took, and why each one is unread that could not be read."""

    candidates: dict[str, list[Candidate]] = field(default_factory=dict)
    shares: dict[str, ReadingCost] = field(default_factory=dict)
    unread: dict[str, MembusError] = field(default_factory=dict)
    answers: dict[str, list[EventAnswer]] = field(default_factory=dict)

    def add_known(self, known: AnswersByEvent) -> None:
        """Take what was proposed before for what is proposed now."""
        for given in known.values():
            for answer in given:
                self.candidates.setdefault(answer.by, []).extend(answer.candidates)

    def add_answer(
        self, question: Sequence[EventText], answer: StructuredAnswer[Candidates], *, prompt_version: str
    ) -> None:
        self.candidates.setdefault(answer.model, []).extend(answer.value.facts)
        given = answers_by_event(
            (words.event_id for words in question),
            _own_candidates(answer.value.facts, question),
            by=answer.model,
        )
        for event_id, each in given.items():
            self.answers.setdefault(event_id, []).append(each)
        share = reading_cost_per_event(
            answer.usage, model=answer.model, prompt_version=prompt_version, shared_by=len(question)
        )
        for words in question:
            known = self.shares.get(words.event_id)
            self.shares[words.event_id] = known + share if known else share

    def drop_strays(self, shown: Collection[str]) -> int:
        """Drop what was proposed for events that nobody showed, and return how much that was."""
        proposed = sum(map(len, self.candidates.values()))
        self.candidates = {
            model: [each for each in facts if each.event_id in shown]
            for model, facts in self.candidates.items()
        }
        return proposed - sum(map(len, self.candidates.values()))

    def for_events(self, event_ids: Collection[str]) -> "BatchAnswers":
        """Return what there is of some events."""
        return BatchAnswers(
            candidates={
                model: [each for each in proposed if each.event_id in event_ids]
                for model, proposed in self.candidates.items()
            },
            shares={event_id: share for event_id, share in self.shares.items() if event_id in event_ids},
            unread={event_id: error for event_id, error in self.unread.items() if event_id in event_ids},
            answers={event_id: given for event_id, given in self.answers.items() if event_id in event_ids},
        )

    def without_partial(self) -> "BatchAnswers":
        """Return the reading without what was proposed for events that were read in part only."""
        for model, proposed in self.candidates.items():
            self.candidates[model] = [each for each in proposed if each.event_id not in self.unread]
        for event_id in self.unread:
            self.answers.pop(event_id, None)
        return self


@dataclass(frozen=True)
class CandidateReader:
    """`model` is a function, so that a batch with nothing to read never loads a model client."""

    model: Callable[[], LanguageModel]
    seconds_left: Callable[[], float]
    instructions: ExtractionInstructions = CURRENT_INSTRUCTIONS

    def read_candidates(self, events: Sequence[RecordedEvent], known: AnswersByEvent) -> BatchAnswers:
        """Ask once for all events but the `known`, in several questions only where their words pass the bound.

        An answer that cannot be used is halved away: each half is a smaller question, down to the one event
        that is to blame. A model that is down or out of time leaves the rest unread.
        """
        reading = BatchAnswers()
        reading.add_known(known)
        new = (recorded for recorded in events if recorded.event.event_id not in known)
        for question in _questions(_passages(new, reading)):
            self._ask(question, reading)
        return reading.without_partial()

    def _ask(self, question: Sequence[EventText], reading: BatchAnswers) -> None:
        try:
            seconds = self.seconds_left()
            if seconds < MODEL_SECONDS_MIN:
                raise UnavailableError("too little time is left of this invocation to ask the model")
            asked = prompt_for(question, self.instructions)
            answer = self.model().answer_with_usage(
                asked, Candidates, max_tokens=ANSWER_TOKENS_MAX, timeout_seconds=seconds
            )
            reading.add_answer(question, answer, prompt_version=self.instructions.version)
        except MembusError as error:
            if isinstance(error, ModelError) and len(question) > 1:
                middle = len(question) // 2
                self._ask(question[:middle], reading)
                self._ask(question[middle:], reading)
            else:
                reading.unread |= dict.fromkeys((words.event_id for words in question), error)


def _own_candidates(candidates: Sequence[Candidate], question: Sequence[EventText]) -> Sequence[Candidate]:
    """Return the candidates to keep beside their events.

    Where several people are read, none of another's words.
    """
    if len({words.recorded.event.owner for words in question}) == 1:
        return candidates
    events = {words.event_id: words.recorded for words in question}
    return [
        each for each in candidates if each.event_id in events and is_grounded(each, events[each.event_id])
    ]


def _passages(events: Iterable[RecordedEvent], reading: BatchAnswers) -> Iterator[EventText]:
    """Yield the words of each event, those of a very long one in parts.

    One that is longer still stays unread.
    """
    for recorded in events:
        speech = recorded.event.user_text or ""
        parts = (
            [speech]
            if estimate_tokens(speech) <= QUESTION_TOKENS_MAX
            else split_passages(speech, QUESTION_TOKENS_MAX)
        )
        if len(parts) > EVENT_PARTS_MAX:
            reading.unread[recorded.event.event_id] = ModelError(
                "the text is too long to be read", reason="too_long"
            )
        else:
            yield from (EventText(recorded, part) for part in parts)


def _questions(passages: Iterable[EventText]) -> Iterator[list[EventText]]:
    """Yield as few questions as hold all passages, each within the bound unless one passage alone passes it."""
    question: list[EventText] = []
    room = QUESTION_TOKENS_MAX
    for words in passages:
        cost = estimate_tokens(words.text)
        if question and cost > room:
            yield question
            question, room = [], QUESTION_TOKENS_MAX
        question.append(words)
        room -= cost
    if question:
        yield question


@dataclass(frozen=True)
class AnswerCache:
    """Answers to the current question; `model` is whom it would be put to for a tenant."""

    store: AnswerStore
    model: Callable[[str], LanguageModel]

    def get_answers(self, events: Sequence[RecordedEvent]) -> AnswersByEvent:
        """Return what was answered about events of one tenant."""
        tenant, ids = events[0].event.tenant_id, [each.event.event_id for each in events]
        return self.store.get_answers(
            tenant, ids, prompt_version=CURRENT_INSTRUCTIONS.version, model=self.model(tenant).name
        )

    def save_answers(self, tenant: str, asked: ModelQuery) -> None:
        self.store.save_answers(tenant, asked.answers, prompt_version=asked.prompt_version, model=asked.model)


def no_known_answers(_: Sequence[RecordedEvent]) -> AnswersByEvent:
    """Nobody has asked about any event yet."""
    return {}


def discard_answers(_tenant: str, _asked: ModelQuery) -> None:
    """Whoever learns alone loses no race."""
