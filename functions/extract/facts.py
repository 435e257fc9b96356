"""The facts of one owner's events: what rules and valid answers say, resolved and committed."""

from collections.abc import Iterable, Sequence
from itertools import chain

from functions.extract.model_answers import BatchAnswers, query_of
from functions.extract.ports import FactPorts
from functions.extract.reading import OVER_BUDGET
from membus.conversations.unprocessed_messages import processed_sort_key
from membus.core.errors import BudgetError, ConflictError, MembusError
from membus.core.event import RecordedEvent
from membus.core.identity import Owner
from membus.core.retry import RetryPolicy, commit_with_retry
from membus.facts import rules
from membus.facts.candidates import Extractor, Rejection, ReviewRequest, Speaker, Verdict, review_item_for
from membus.facts.commit import CurrentFacts, fold_observations, list_timezone_observations
from membus.facts.corrections import observe_correction
from membus.facts.denials import (
    deny_current_values,
    deny_opposites,
    keep_beside_current,
    one_per_key,
)
from membus.facts.observation import Observation
from membus.facts.ports import FactCommit
from membus.facts.profile import Profile
from membus.facts.validation.requests_to_forget import deny_forgotten, holds_request
from membus.facts.validation.validator import (
    CHANGES_MAX,
    resolve_speakers,
    timezones_from_candidates,
    validate_candidates,
)

OBSERVATIONS_MAX = 26
"""DynamoDB takes 100 items in a transaction: three at most for each observation, one for
the profile and one for each event."""
COMMIT_RETRY = RetryPolicy(tries=8, pause_seconds=0.05)
"""6.4 seconds of pauses at most, after which the messages come back."""


def extract_facts(
    events: Sequence[RecordedEvent], answers: BatchAnswers, ports: FactPorts
) -> dict[str, MembusError]:
    """Commit what events of one owner say, and return by event id why each other one has to come again.

    An event that no money was left for is committed as `OVER_BUDGET`. After a lost race the answers are kept,
    so that the next try asks no question.
    """
    owner = events[0].owner
    event_ids = [recorded.event_id for recorded in events]
    answers = answers.for_events(event_ids)
    try:
        observations = observe_events(owner, events, answers, ports)
        commit_facts(owner, events, observations, answers, ports)
    except MembusError as error:
        if isinstance(error, ConflictError) and (query := query_of(answers, ports)):
            ports.answers.save_answers(
                owner, query.answers, prompt_version=query.prompt_version, model=query.model
            )
        return dict.fromkeys(event_ids, error) | answers.unread
    return {id_: error for id_, error in answers.unread.items() if not isinstance(error, BudgetError)}


def observe_events(
    owner: Owner, events: Sequence[RecordedEvent], answers: BatchAnswers, ports: FactPorts
) -> list[Observation]:
    """Return what events say, by rules and by valid candidates; doubtful ones go to the review queue.

    What an event ends or changes is judged by what was current before it: the events are taken in the order
    of truth, and each one finds what the earlier ones said, whether they came in one batch or alone.
    """
    observed = {each.event_id: observe_behaviour(owner, each, ports) for each in events}
    own_attributes = ports.reading.settings.by_attribute
    proposals = CandidateProposals(owner, events, answers, chain(*observed.values()), ports)
    current = CurrentFacts(owner, ports.facts)
    observations: list[Observation] = []
    requests: list[ReviewRequest] = []
    for recorded in sorted(events, key=lambda each: (each.true_from, each.event_id)):
        own = observed[recorded.event_id]
        if holds_request(recorded.event):
            own += deny_forgotten(recorded, current.facts)
        verdicts = proposals.validate_event(recorded, current)
        requests += [verdict for verdict in verdicts if isinstance(verdict, ReviewRequest)]
        valid = [verdict for verdict in verdicts if isinstance(verdict, Observation)]
        if any(seen.denies for seen in valid):
            valid = deny_current_values(valid, current.facts, own_attributes)
        valid = keep_beside_current(valid, current, own_attributes)
        own += [*valid, *deny_opposites(valid)]
        current.add_observations(own)
        observations += own
    ports.review_queue.add_items(owner, map(review_item_for, requests))
    return observations


def observe_behaviour(owner: Owner, recorded: RecordedEvent, ports: FactPorts) -> list[Observation]:
    """Return what a correction, an action or counted behaviour says, without a model."""
    reading = ports.reading
    observations = [*rules.observe_action(recorded)]
    for signal in rules.find_signals(recorded, reading.rule_groups):
        observations += rules.apply_rules(signal, ports.signals.add_signal(owner, signal))
    kept = [seen for seen in observations if not reading.settings.never_keeps(seen.key)]
    return [*observe_correction(recorded), *kept]


class CandidateProposals:
    """What models proposed about the events of one owner, each to be judged in its turn.

    The days that a user names are counted in the time zone that is known of them, or that an answer names.
    """

    def __init__(
        self,
        owner: Owner,
        events: Sequence[RecordedEvent],
        answers: BatchAnswers,
        observed: Iterable[Observation],
        ports: FactPorts,
    ) -> None:
        self._monitor = ports.monitor
        candidates_by_model = answers.candidates_by_model()
        self._proposed = [
            (_extractor(model, ports), candidates) for model, candidates in candidates_by_model.items()
        ]
        self._events = {each.event_id: each for each in events if rules.needs_model(each.event)}
        self._speakers = self._find_speakers(owner, observed, ports) if self._proposed else {}

    def validate_event(self, recorded: RecordedEvent, current: CurrentFacts) -> list[Verdict]:
        """Return the verdicts on the candidates of an event and count the reasons of those refused.

        The current values are read only for an event with enough candidates to rewrite a user.
        """
        verdicts: list[Verdict] = []
        for extractor, candidates in self._proposed:
            own = [each for each in candidates if each.event_id == recorded.event_id]
            values = {fact.key: fact.value for fact in current.facts} if len(own) > CHANGES_MAX else {}
            verdicts += validate_candidates(own, self._events, extractor, self._speakers, values)
        for verdict in verdicts:
            if isinstance(verdict, ReviewRequest | Rejection):
                self._monitor.count_metric(f"CandidatesRefused_{verdict.reason}")
        return verdicts

    def _find_speakers(
        self, owner: Owner, observed: Iterable[Observation], ports: FactPorts
    ) -> dict[str, Speaker]:
        spoken = list(self._events.values())
        zones = [*list_timezone_observations(owner, spoken, ports.facts), *observed]
        for extractor, candidates in self._proposed:
            zones += timezones_from_candidates(candidates, self._events, extractor)
        return resolve_speakers(spoken, zones)


def _extractor(model: str, ports: FactPorts) -> Extractor:
    instructions = ports.reading.instructions
    return Extractor(
        model=model,
        prompt_version=instructions.version,
        instructions=instructions.text,
        settings=ports.reading.settings,
    )


def commit_facts(
    owner: Owner,
    events: Sequence[RecordedEvent],
    observations: Sequence[Observation],
    answers: BatchAnswers,
    ports: FactPorts,
) -> None:
    """Commit observations and that their events were read, then mark the events' messages as processed.

    Observations that do not fit one transaction take several; the events count as read with the last of them.
    A message is marked after the commit: a moment long it is found twice, at no moment not at all.
    """
    errors = {recorded.event_id: answers.unread.get(recorded.event_id) for recorded in events}
    read = [recorded for recorded in events if errors[recorded.event_id] is None]
    unpaid = [recorded for recorded in events if isinstance(errors[recorded.event_id], BudgetError)]
    left = one_per_key(observations, ports.reading.settings.by_attribute)
    while len(left) > OBSERVATIONS_MAX:
        _commit(owner, (), left[:OBSERVATIONS_MAX], ports)
        left = left[OBSERVATIONS_MAX:]
    if read or left:
        _commit(owner, read, left, ports, answers=answers)
    if unpaid:
        _commit(owner, unpaid, (), ports, extractor=OVER_BUDGET)
    mark_processed(read, ports)


def _commit(
    owner: Owner,
    events: Sequence[RecordedEvent],
    observations: Sequence[Observation],
    ports: FactPorts,
    *,
    answers: BatchAnswers | None = None,
    extractor: str | None = None,
) -> None:
    def resolve(_: int) -> FactCommit:
        profile = ports.facts.get_full_profile(owner) if observations else Profile(owner=owner)
        update = fold_observations(owner, observations, ports.facts)
        return FactCommit(
            profile=profile.with_facts(update.facts),
            extractor=extractor or ports.reading.version,
            events=tuple(events),
            observations=tuple(observations),
            facts=update.facts,
            snapshots=update.snapshots,
            costs=answers.costs if answers else {},
            query=query_of(answers, ports) if answers else None,
        )

    commit_with_retry(
        resolve, ports.facts.commit, policy=COMMIT_RETRY, sleep=ports.sleep, seconds_left=ports.seconds_left
    )


def mark_processed(events: Iterable[RecordedEvent], ports: FactPorts) -> None:
    sort_keys: dict[Owner, list[str]] = {}
    for recorded in events:
        if sort_key := processed_sort_key(recorded):
            sort_keys.setdefault(recorded.owner, []).append(sort_key)
    for owner, keys in sort_keys.items():
        ports.unprocessed.mark_processed(owner, keys)
