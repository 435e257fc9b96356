"""Learn from one user's events: rules first, then what was said, then one commit."""

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count

from functions.extract.answered import discard_answers, no_known_answers
from functions.extract.prompt import CURRENT_INSTRUCTIONS, ExtractionInstructions
from functions.extract.reading import BatchAnswers, CandidateReader
from membus.domain import rules
from membus.domain.answers import AnswersByEvent
from membus.domain.candidate import Extractor
from membus.domain.corrections import observe_correction
from membus.domain.event import RecordedEvent
from membus.domain.fresh import processed_sort_key
from membus.domain.gate import VALIDATION_VERSION, validate_candidates
from membus.domain.held_facts import review_item_for
from membus.domain.identity import Owner
from membus.domain.observations import Observation
from membus.domain.profile import Profile
from membus.domain.speakers import resolve_speakers, timezones_from_candidates
from membus.domain.verdict import Rejection, ReviewRequest, Verdict
from membus.errors import BudgetError, ConflictError, MembusError
from membus.folding import fold_observations, list_timezone_observations
from membus.ports.events import SignalStore
from membus.ports.facts import FactCommit, FactWriter, ModelQuery
from membus.ports.fresh import ProcessedMarker
from membus.ports.held_facts import ReviewIntake
from membus.ports.model import LanguageModel

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

    def read(self, events: Sequence[RecordedEvent], again: Collection[str] = ()) -> BatchAnswers:
        """Ask about all that was said in events of one tenant, once for all of them.

        `again` are events that came before: what was answered about them then, and could not be committed, is
        taken for the answer now.
        """
        said = [event for event in events if rules.needs_model(event.event)]
        before = [event for event in said if event.event.event_id in again]
        known = self.known(before) if before else {}
        model = partial(self.model, events[0].event.tenant_id)
        reading = CandidateReader(model, self.seconds_left, self.instructions).read(said, known)
        for _ in range(reading.drop_strays({event.event.event_id for event in said})):
            self.on_refused("unknown_event")
        return reading

    def learn(
        self, events: Sequence[RecordedEvent], reading: BatchAnswers | None = None
    ) -> dict[str, MembusError]:
        """Commit what the events of one owner teach, and that they were read.

        Return why each other one was not.

        What nobody was paid to read is committed as UNPAID: the queue need not bring it back. What does not
        fit one transaction is committed in several; the events count as read with the last of them. What
        somebody else's commits left no room for keeps its answers: it comes back, and nobody is asked again.
        """
        owner = events[0].event.owner
        reading = (reading or self.read(events)).of({event.event.event_id for event in events})
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
        self.settle(read)

    def _keep(self, owner: Owner, reading: BatchAnswers) -> None:
        if asked := self._asked(owner, reading):
            self.keep(owner.tenant, asked)

    def settle(self, read: Sequence[RecordedEvent]) -> None:
        """Let go of the words that the events came from: what they teach is known, or they teach nothing.

        It comes after the commit: for a moment both are there, at no moment neither.
        """
        told = [(recorded.event.owner, place) for recorded in read if (place := processed_sort_key(recorded))]
        for owner in dict.fromkeys(owner for owner, _ in told):
            self.fresh.settle(owner, [place for whose, place in told if whose == owner])

    def _by_rules(self, owner: Owner, events: Sequence[RecordedEvent]) -> list[Observation]:
        observed: list[Observation] = []
        for event in events:
            observed += [*observe_correction(event), *rules.observe_action(event)]
            for signal in rules.find_signals(event):
                observed += rules.apply_rules(signal, self.signals.add(owner, signal))
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
        self.held_facts.hold(
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
            profile = self.facts.base(owner) if observed else Profile(owner=owner)
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
                return self.facts.commit(replace(learned, profile=learned.profile.updated(learned.facts)))
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
