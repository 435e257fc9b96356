"""Turn a batch of events into episodes and facts, each exactly once whatever the queue does.

Who is read in one question: somebody alone, or people of one tenant who talk in the same sessions.

Learn from one user's events: rules first, then what was said, then one commit.
"""

import random
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import Protocol

from pydantic import ValidationError

from functions.extract.delivery import RedeliveryPolicy
from functions.extract.model_answers import BatchAnswers, CandidateReader, discard_answers, no_known_answers
from functions.extract.prompt import CURRENT_INSTRUCTIONS, ExtractionInstructions
from functions.extract.schemas import QueueMessage
from membus.conversations.ports import ProcessedMarker
from membus.conversations.unprocessed_messages import processed_sort_key
from membus.core.errors import BudgetError, ConflictError, InvalidError, MembusError
from membus.core.event import FORGOTTEN, Event, RecordedEvent
from membus.core.identity import Owner
from membus.episodes.ports import EpisodeStore
from membus.erasure.guard import ErasureGuard
from membus.events.ports import PoisonMessageQueue
from membus.facts import rules
from membus.facts.candidates import (
    AnswersByEvent,
    Extractor,
    Rejection,
    ReviewRequest,
    Verdict,
    review_item_for,
)
from membus.facts.commit import fold_observations, list_timezone_observations
from membus.facts.corrections import observe_correction
from membus.facts.observation import Observation
from membus.facts.ports import FactCommit, FactWriter, ModelQuery, ReviewIntake, SignalStore
from membus.facts.profile import Profile
from membus.facts.rules import needs_extraction
from membus.facts.text_checks import is_prompt_injection
from membus.facts.validation.validator import (
    VALIDATION_VERSION,
    resolve_speakers,
    timezones_from_candidates,
    validate_candidates,
)
from membus.llm.ports import LanguageModel

SessionSet = frozenset[tuple[str, str]]


def group_by_shared_session(events: Iterable[RecordedEvent]) -> "list[list[Owner]]":
    """Return the owners of the events, those together whose words may stand in one question.

    They are of one tenant, all their words here were said in the same sessions of the same agents, and
    nothing they said would turn a reader around: whoever tries is read alone. Nobody has more than one
    company, so there are never more questions than people.
    """
    said: dict[Owner, list[RecordedEvent]] = {}
    for event in events:
        said.setdefault(event.event.owner, []).append(event)
    gathered: dict[object, list[Owner]] = {}
    for owner, mine in said.items():
        sessions = _shared_sessions(mine)
        gathered.setdefault((owner.tenant, sessions) if sessions else owner, []).append(owner)
    return list(gathered.values())


def _shared_sessions(events: Sequence[RecordedEvent]) -> SessionSet | None:
    """Return where somebody spoke.

    None for whoever said nothing, or something outside any session, or steers.
    """
    spoken = [each.event for each in events if each.event.user_text]
    if any(event.session_id is None or is_prompt_injection(event.user_text or "") for event in spoken):
        return None
    return frozenset((event.agent_id, event.session_id or "") for event in spoken) or None


EXTRACTOR_VERSION = (
    f"rules-{rules.RULES_VERSION}.prompt-{CURRENT_INSTRUCTIONS.version}.gate-{VALIDATION_VERSION}"
)
"""The extractor version: an event read at this version is never read again at it."""
OVER_BUDGET = f"rules-{rules.RULES_VERSION}"
"""What stands on an event that nobody was paid to read: the rules have, and a replay reads it whole."""
OBSERVATIONS_MAX = 26
"""DynamoDB takes 100 items in a transaction: three at most for each observation, one for
the profile and one for each event."""
COMMIT_TRIES = 8
COMMIT_PAUSE_SECONDS = 0.05
"""The longest first pause of a writer that lost a race; each further one may be twice as long.

6.4 seconds in all.
"""


@dataclass(frozen=True)
class FactExtractor:
    """`model` is a function of the tenant who pays, so that a batch with nothing to read never loads a model client."""

    facts: FactWriter
    signals: SignalStore
    held_facts: ReviewIntake
    fresh: ProcessedMarker
    model: Callable[[str], LanguageModel]
    seconds_left: Callable[[], float]
    on_refused: Callable[[str], None]
    pause: Callable[[float], None]
    version: str = EXTRACTOR_VERSION
    instructions: ExtractionInstructions = CURRENT_INSTRUCTIONS
    known: Callable[[Sequence[RecordedEvent]], AnswersByEvent] = no_known_answers
    keep: Callable[[str, ModelQuery], None] = discard_answers

    def ask_model(self, events: Sequence[RecordedEvent], again: Collection[str] = ()) -> BatchAnswers:
        """Ask about all that was said in events of one tenant, once for all of them.

        `again` are events that came before: what was answered about them then, and could not be committed, is
        taken for the answer now.
        """
        said = [event for event in events if rules.needs_model(event.event)]
        before = [event for event in said if event.event.event_id in again]
        known = self.known(before) if before else {}
        model = partial(self.model, events[0].event.tenant_id)
        reading = CandidateReader(model, self.seconds_left, self.instructions).read_candidates(said, known)
        for _ in range(reading.drop_strays({event.event.event_id for event in said})):
            self.on_refused("unknown_event")
        return reading

    def commit_batch(
        self, events: Sequence[RecordedEvent], reading: BatchAnswers | None = None
    ) -> dict[str, MembusError]:
        """Commit what the events of one owner teach, and that they were read.

        Return why each other one was not.

        What nobody was paid to read is committed as UNPAID: the queue need not bring it back. What does not
        fit one transaction is committed in several; the events count as read with the last of them. What
        somebody else's commits left no room for keeps its answers: it comes back, and nobody is asked again.
        """
        owner = events[0].event.owner
        reading = (reading or self.ask_model(events)).for_events({event.event.event_id for event in events})
        try:
            self._commit_all(owner, events, reading)
        except MembusError as error:
            if isinstance(error, ConflictError):
                self._keep(owner, reading)
            return {event.event.event_id: error for event in events} | reading.unread
        return {event_id: why for event_id, why in reading.unread.items() if not isinstance(why, BudgetError)}

    def _commit_all(self, owner: Owner, events: Sequence[RecordedEvent], reading: BatchAnswers) -> None:
        said = [event for event in events if rules.needs_model(event.event)]
        observed = self._by_rules(owner, events)
        observed = _last_of_each_event([*observed, *self._admitted(owner, reading, said, observed)])
        unpaid = [
            event for event in events if isinstance(reading.unread.get(event.event.event_id), BudgetError)
        ]
        read = [event for event in events if event.event.event_id not in reading.unread]
        while len(observed) > OBSERVATIONS_MAX:
            self._commit(owner, (), observed[:OBSERVATIONS_MAX])
            observed = observed[OBSERVATIONS_MAX:]
        if read or observed:
            self._commit(owner, read, observed, reading)
        if unpaid:
            self._commit(owner, unpaid, (), extractor=OVER_BUDGET)
        self.mark_processed(read)

    def _keep(self, owner: Owner, reading: BatchAnswers) -> None:
        if asked := self._asked(owner, reading):
            self.keep(owner.tenant, asked)

    def mark_processed(self, read: Sequence[RecordedEvent]) -> None:
        """Let go of the words that the events came from: what they teach is known, or they teach nothing.

        It comes after the commit: for a moment both are there, at no moment neither.
        """
        told = [(recorded.event.owner, place) for recorded in read if (place := processed_sort_key(recorded))]
        for owner in dict.fromkeys(owner for owner, _ in told):
            self.fresh.mark_processed(owner, [place for whose, place in told if whose == owner])

    def _by_rules(self, owner: Owner, events: Sequence[RecordedEvent]) -> list[Observation]:
        observed: list[Observation] = []
        for event in events:
            observed += [*observe_correction(event), *rules.observe_action(event)]
            for signal in rules.find_signals(event):
                observed += rules.apply_rules(signal, self.signals.add_signal(owner, signal))
        return observed

    def _admitted(
        self,
        owner: Owner,
        reading: BatchAnswers,
        said: Sequence[RecordedEvent],
        observed: Sequence[Observation],
    ) -> list[Observation]:
        if not reading.candidates:
            return []
        by_id = {event.event.event_id: event for event in said}
        readers = {
            model: Extractor(
                model=model, prompt_version=self.instructions.version, instructions=self.instructions.text
            )
            for model in reading.candidates
        }
        zones = [*list_timezone_observations(owner, said, self.facts), *observed]
        for model, candidates in reading.candidates.items():
            zones += timezones_from_candidates(candidates, by_id, readers[model])
        speakers = resolve_speakers(said, zones)
        verdicts: list[Verdict] = []
        for model, candidates in reading.candidates.items():
            verdicts += validate_candidates(candidates, by_id, readers[model], speakers)
        for verdict in verdicts:
            if isinstance(verdict, ReviewRequest | Rejection):
                self.on_refused(verdict.reason)
        self.held_facts.add_items(
            owner, [review_item_for(verdict) for verdict in verdicts if isinstance(verdict, ReviewRequest)]
        )
        return [verdict for verdict in verdicts if isinstance(verdict, Observation)]

    def _commit(
        self,
        owner: Owner,
        events: Sequence[RecordedEvent],
        observed: Sequence[Observation],
        reading: BatchAnswers | None = None,
        *,
        extractor: str | None = None,
    ) -> None:
        """Fold the observations into the facts as they are now, again if somebody else was faster.

        Whoever lost waits a random part of a time that doubles, or all who lost would meet again.
        """
        for tried in count():
            profile = self.facts.get_full_profile(owner) if observed else Profile(owner=owner)
            folded = fold_observations(owner, observed, self.facts)
            learned = FactCommit(
                profile=profile,
                extractor=extractor or self.version,
                events=tuple(events),
                observations=tuple(observed),
                facts=folded.facts,
                carried=folded.carried,
                shares=reading.shares if reading else {},
                asked=self._asked(owner, reading),
            )
            try:
                return self.facts.commit(replace(learned, profile=learned.profile.with_facts(learned.facts)))
            except ConflictError:
                longest = COMMIT_PAUSE_SECONDS * 2**tried
                if tried == COMMIT_TRIES - 1 or self.seconds_left() < longest:
                    raise
                self.pause(random.uniform(0, longest))  # noqa: S311 (nobody gains by guessing it)
        raise AssertionError("the last try returns or raises")

    def _asked(self, owner: Owner, reading: BatchAnswers | None) -> ModelQuery | None:
        """Return the question and its answers; where no question was put, no model is loaded for its name."""
        if not (reading and reading.answers):
            return None
        return ModelQuery(self.instructions.version, self.model(owner.tenant).name, reading.answers)


def _last_of_each_event(observed: Sequence[Observation]) -> list[Observation]:
    """Return one observation per key and event, the last that was made: it is what the store keeps."""
    return list({(seen.key, seen.provenance.event_id): seen for seen in observed}.values())


@dataclass(frozen=True)
class UnreadEvent:
    """An event that nobody has read yet, and the messages that brought it (duplicates share one event)."""

    recorded: RecordedEvent
    messages: tuple[QueueMessage, ...]


MessageFailure = tuple[QueueMessage, Exception]


class ParallelMap(Protocol):
    """`map`, or one that does the same with several threads."""

    def __call__(
        self,
        act: Callable[[Sequence[UnreadEvent]], list[MessageFailure]],
        groups: Iterable[Sequence[UnreadEvent]],
        /,
    ) -> Iterable[list[MessageFailure]]: ...


def extract_batch(
    messages: Iterable[QueueMessage],
    *,
    episodes: EpisodeStore,
    quarantine: PoisonMessageQueue,
    learner: FactExtractor,
    redelivery: RedeliveryPolicy,
    gate: ErasureGuard,
    on_erased: Callable[[str], None],
    side_by_side: ParallelMap = map,
) -> list[str]:
    """Return the ids of the messages to deliver again.

    A failure of any kind, a defect of ours too, costs only its own user's messages, and one that an event
    brings with it only that event's: what cannot be read is parked with its reason, whatever else failed
    comes back. What was erased is dropped, however it came back; `on_erased` is told whose tenant's it was.
    """
    failures: list[MessageFailure] = []
    pending: dict[tuple[str, str], UnreadEvent] = {}
    for message in messages:
        try:
            arrived = _parse_event(message, quarantine)
            if arrived and not gate.accepts_event(arrived):
                on_erased(arrived.event.tenant_id)
            elif arrived:
                _record_event(message, arrived, pending, episodes=episodes, learner=learner)
        except Exception as error:  # noqa: BLE001 (or one message nobody foresaw would fail its whole batch)
            failures.append((message, error))
    for group in side_by_side(partial(_extract_group, learner), _group_unread(pending.values())):
        failures += group
    return [message.message_id for message, error in failures if redelivery.handle_failure(message, error)]


def _extract_group(learner: FactExtractor, group: Sequence[UnreadEvent]) -> list[MessageFailure]:
    """Ask once about all that a company said, then let each of them learn on their own."""
    again = [
        each.recorded.event.event_id
        for each in group
        if any(message.receive_count > 1 for message in each.messages)
    ]
    try:
        reading = learner.ask_model([each.recorded for each in group], again)
    except Exception as error:  # noqa: BLE001 (as above)
        return _bisect_failure(group, error, partial(_extract_group, learner))
    return [failure for mine in _by_owner(group) for failure in _extract_owner(learner, reading, mine)]


def _extract_owner(
    learner: FactExtractor, reading: BatchAnswers, group: Sequence[UnreadEvent]
) -> list[MessageFailure]:
    """Learn from one user's events; a defect of ours is halved away, down to the event that brings it out."""
    try:
        unread = learner.commit_batch([each.recorded for each in group], reading)
    except Exception as error:  # noqa: BLE001 (as above)
        return _bisect_failure(group, error, partial(_extract_owner, learner, reading))
    failed = [(each, unread.get(each.recorded.event.event_id)) for each in group]
    return [(message, error) for each, error in failed if error for message in each.messages]


def _bisect_failure(
    group: Sequence[UnreadEvent],
    error: Exception,
    learn: Callable[[Sequence[UnreadEvent]], list[MessageFailure]],
) -> list[MessageFailure]:
    """Learn from each half of what a defect stopped; what is no defect, or one event's own, has failed."""
    if isinstance(error, MembusError) or len(group) == 1:
        return [(message, error) for each in group for message in each.messages]
    middle = len(group) // 2
    return [*learn(group[:middle]), *learn(group[middle:])]


def _parse_event(message: QueueMessage, quarantine: PoisonMessageQueue) -> RecordedEvent | None:
    """Return the message's event; what is none is parked."""
    try:
        return message.parse_event()
    except (ValidationError, InvalidError) as error:
        quarantine.send_message(message.body, reason=_reason(error))
        return None


def _record_event(
    message: QueueMessage,
    arrived: RecordedEvent,
    pending: dict[tuple[str, str], UnreadEvent],
    *,
    episodes: EpisodeStore,
    learner: FactExtractor,
) -> None:
    """Record the message's event and queue it for reading, unless that was done before or need not be done.

    What was read before may have died before it let go of the fresh words.
    """
    if not arrived.event.remember:
        episodes.forget_event(arrived)
        return
    known = episodes.record_event(
        arrived, extracted=None if needs_extraction(arrived.event) else learner.version
    )
    if (arrived.event.owner, processed_sort_key(arrived)) != (known.event.owner, processed_sort_key(known)):
        learner.mark_processed(
            [arrived]
        )  # a copy that says something else: the door kept its words where nobody will look
    if known.extracted in {learner.version, FORGOTTEN}:
        learner.mark_processed([known])
        return
    key = _identity(known.event)
    copies = pending[key].messages if key in pending else ()
    pending[key] = UnreadEvent(known, (*copies, message))


def _group_unread(pending: Iterable[UnreadEvent]) -> list[Sequence[UnreadEvent]]:
    """Return what is read in one question."""
    of_owner = {mine[0].recorded.event.owner: mine for mine in _by_owner(pending)}
    everything = (each.recorded for mine in of_owner.values() for each in mine)
    return [
        [each for owner in company for each in of_owner[owner]]
        for company in group_by_shared_session(everything)
    ]


def _by_owner(pending: Iterable[UnreadEvent]) -> list[Sequence[UnreadEvent]]:
    groups: dict[Owner, list[UnreadEvent]] = {}
    for each in pending:
        groups.setdefault(each.recorded.event.owner, []).append(each)
    return list(groups.values())


def _identity(event: Event) -> tuple[str, str]:
    return event.tenant_id, event.event_id


def _reason(error: ValidationError | InvalidError) -> str:
    if isinstance(error, InvalidError):
        return error.code
    first = error.errors(include_input=False, include_url=False)[0]
    return f"invalid_event: {'.'.join(map(str, first['loc']))}: {first['msg']}"
