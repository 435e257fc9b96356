"""Learn from one user's events: rules first, then what was said, then one commit."""

import random
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count

from functions.extract.answered import nothing_kept, nothing_known
from functions.extract.prompt import CURRENT, Instructions
from functions.extract.reading import Reader, Reading
from membus.domain import rules
from membus.domain.answers import Answers
from membus.domain.candidate import Extractor
from membus.domain.corrections import corrected_by_hand
from membus.domain.event import Recorded
from membus.domain.facts import Observation
from membus.domain.fresh import settled_by
from membus.domain.gate import GATE_VERSION, judge
from membus.domain.held_facts import held_fact
from membus.domain.identity import Owner
from membus.domain.profile import Profile
from membus.domain.speakers import speakers_of, zones_named
from membus.domain.verdict import Held, Refused, Verdict
from membus.errors import BudgetError, ConflictError, MembusError
from membus.folding import fold_in, zones_by
from membus.ports.events import SignalStore
from membus.ports.facts import Asked, FactLearning, Learned
from membus.ports.fresh import Settling
from membus.ports.held_facts import Holding
from membus.ports.model import LanguageModel

VERSION = f"rules-{rules.RULES_VERSION}.prompt-{CURRENT.version}.gate-{GATE_VERSION}"
"""The extractor version: an event read at this version is never read again at it."""
UNPAID = f"rules-{rules.RULES_VERSION}"
"""What stands on an event that nobody was paid to read: the rules have, and a replay reads it whole."""
OBSERVATIONS_MAX = 26
"""DynamoDB takes 100 items in a transaction: three at most for each observation, one for
the profile and one for each event."""
TRIES = 8
PAUSE_SECONDS = 0.05
"""The longest first pause of a writer that lost a race; each further one may be twice as long.

6.4 seconds in all.
"""


@dataclass(frozen=True)
class Learner:
    """`model` is a function of the tenant who pays, so that a batch with nothing to read never loads a model client."""

    facts: FactLearning
    signals: SignalStore
    held_facts: Holding
    fresh: Settling
    model: Callable[[str], LanguageModel]
    seconds_left: Callable[[], float]
    on_refused: Callable[[str], None]
    pause: Callable[[float], None]
    version: str = VERSION
    instructions: Instructions = CURRENT
    known: Callable[[Sequence[Recorded]], Answers] = nothing_known
    keep: Callable[[str, Asked], None] = nothing_kept

    def read(self, events: Sequence[Recorded], again: Collection[str] = ()) -> Reading:
        """Ask about all that was said in events of one tenant, once for all of them.

        `again` are events that came before: what was answered about them then, and could not be committed, is
        taken for the answer now.
        """
        said = [event for event in events if rules.worth_reading(event.event)]
        before = [event for event in said if event.event.event_id in again]
        known = self.known(before) if before else {}
        model = partial(self.model, events[0].event.tenant_id)
        reading = Reader(model, self.seconds_left, self.instructions).read(said, known)
        for _ in range(reading.drop_strays({event.event.event_id for event in said})):
            self.on_refused("unknown_event")
        return reading

    def learn(self, events: Sequence[Recorded], reading: Reading | None = None) -> dict[str, MembusError]:
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

    def _commit_all(self, owner: Owner, events: Sequence[Recorded], reading: Reading) -> None:
        said = [event for event in events if rules.worth_reading(event.event)]
        observed = self._by_rules(owner, events)
        observed = _once([*observed, *self._admitted(owner, reading, said, observed)])
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
            self._commit(owner, unpaid, (), extractor=UNPAID)
        self.settle(read)

    def _keep(self, owner: Owner, reading: Reading) -> None:
        if asked := self._asked(owner, reading):
            self.keep(owner.tenant, asked)

    def settle(self, read: Sequence[Recorded]) -> None:
        """Let go of the words that the events came from: what they teach is known, or they teach nothing.

        It comes after the commit: for a moment both are there, at no moment neither.
        """
        told = [(recorded.event.owner, place) for recorded in read if (place := settled_by(recorded))]
        for owner in dict.fromkeys(owner for owner, _ in told):
            self.fresh.settle(owner, [place for whose, place in told if whose == owner])

    def _by_rules(self, owner: Owner, events: Sequence[Recorded]) -> list[Observation]:
        observed: list[Observation] = []
        for event in events:
            observed += [*corrected_by_hand(event), *rules.stated_by_action(event)]
            for signal in rules.signals(event):
                observed += rules.concluded(signal, self.signals.add(owner, signal))
        return observed

    def _admitted(
        self, owner: Owner, reading: Reading, said: Sequence[Recorded], observed: Sequence[Observation]
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
        zones = [*zones_by(owner, said, self.facts), *observed]
        for model, candidates in reading.candidates.items():
            zones += zones_named(candidates, by_id, readers[model])
        speakers = speakers_of(said, zones)
        verdicts: list[Verdict] = []
        for model, candidates in reading.candidates.items():
            verdicts += judge(candidates, by_id, readers[model], speakers)
        for verdict in verdicts:
            if isinstance(verdict, Held | Refused):
                self.on_refused(verdict.reason)
        self.held_facts.hold(owner, [held_fact(verdict) for verdict in verdicts if isinstance(verdict, Held)])
        return [verdict for verdict in verdicts if isinstance(verdict, Observation)]

    def _commit(
        self,
        owner: Owner,
        events: Sequence[Recorded],
        observed: Sequence[Observation],
        reading: Reading | None = None,
        *,
        extractor: str | None = None,
    ) -> None:
        """Fold the observations into the facts as they are now, again if somebody else was faster.

        Whoever lost waits a random part of a time that doubles, or all who lost would meet again.
        """
        for tried in count():
            profile = self.facts.base(owner) if observed else Profile(owner=owner)
            folded = fold_in(owner, observed, self.facts)
            learned = Learned(
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
                longest = PAUSE_SECONDS * 2**tried
                if tried == TRIES - 1 or self.seconds_left() < longest:
                    raise
                self.pause(random.uniform(0, longest))  # noqa: S311 (nobody gains by guessing it)
        raise AssertionError("the last try returns or raises")

    def _asked(self, owner: Owner, reading: Reading | None) -> Asked | None:
        """Return the question and its answers; where no question was put, no model is loaded for its name."""
        if not (reading and reading.answers):
            return None
        return Asked(self.instructions.version, self.model(owner.tenant).name, reading.answers)


def _once(observed: Sequence[Observation]) -> list[Observation]:
    """Return one observation per key and event, the last that was made: it is what the store keeps."""
    return list({(seen.key, seen.provenance.event_id): seen for seen in observed}.values())
