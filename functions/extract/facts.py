"""The facts of one owner's events: what rules and valid answers say, resolved and committed."""

from collections import Counter
from collections.abc import Iterable, Sequence

from functions.extract.model_answers import BatchAnswers, query_of
from functions.extract.ports import OVER_BUDGET, FactPorts
from membus.conversations.unprocessed_messages import processed_sort_key
from membus.core.errors import BudgetError, ConflictError, MembusError
from membus.core.event import RecordedEvent
from membus.core.identity import Owner
from membus.core.retry import RetryPolicy, commit_with_retry
from membus.facts import rules
from membus.facts.candidates import Candidate, Extractor, Rejection, ReviewRequest, review_item_for
from membus.facts.commit import fold_observations, list_timezone_observations
from membus.facts.corrections import observe_correction
from membus.facts.denials import deny_current_values, deny_opposites, one_per_key
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
        observations = observe_behaviour(owner, events, ports)
        observations += observe_requests_to_forget(owner, events, ports)
        observations += validate_answers(owner, events, answers, observations, ports)
        commit_facts(owner, events, observations, answers, ports)
    except MembusError as error:
        if isinstance(error, ConflictError) and (query := query_of(answers, ports)):
            ports.answers.save_answers(
                owner, query.answers, prompt_version=query.prompt_version, model=query.model
            )
        return dict.fromkeys(event_ids, error) | answers.unread
    return {id_: error for id_, error in answers.unread.items() if not isinstance(error, BudgetError)}


def observe_behaviour(owner: Owner, events: Sequence[RecordedEvent], ports: FactPorts) -> list[Observation]:
    """Return what corrections, actions and counted behaviour say, without a model."""
    observations: list[Observation] = []
    for recorded in events:
        observations += [*observe_correction(recorded), *rules.observe_action(recorded)]
        for signal in rules.find_signals(recorded):
            observations += rules.apply_rules(signal, ports.signals.add_signal(owner, signal))
    return observations


def observe_requests_to_forget(
    owner: Owner, events: Sequence[RecordedEvent], ports: FactPorts
) -> list[Observation]:
    """Return the denials of the current facts that events ask to forget, whatever a model makes of them."""
    asking = [recorded for recorded in events if holds_request(recorded.event)]
    if not asking:
        return []
    current = ports.facts.get_full_profile(owner).facts
    return [denial for recorded in asking for denial in deny_forgotten(recorded, current)]


def validate_answers(
    owner: Owner,
    events: Sequence[RecordedEvent],
    answers: BatchAnswers,
    observed: Sequence[Observation],
    ports: FactPorts,
) -> list[Observation]:
    """Return the observations that valid candidates become; doubtful ones go to the review queue.

    The days that a user names are counted in the time zone that is known of them, or that an answer names.
    """
    candidates_by_model = answers.candidates_by_model()
    if not candidates_by_model:
        return []
    spoken = [recorded for recorded in events if rules.needs_model(recorded.event)]
    by_id = {recorded.event_id: recorded for recorded in spoken}
    proposed = [(_extractor(model, ports), each) for model, each in candidates_by_model.items()]
    zones = [*list_timezone_observations(owner, spoken, ports.facts), *observed]
    for extractor, candidates in proposed:
        zones += timezones_from_candidates(candidates, by_id, extractor)
    speakers = resolve_speakers(spoken, zones)
    verdicts = [
        verdict
        for extractor, candidates in proposed
        for verdict in validate_candidates(
            candidates, by_id, extractor, speakers, _current_values(owner, candidates, ports)
        )
    ]
    for verdict in verdicts:
        if isinstance(verdict, ReviewRequest | Rejection):
            ports.monitor.count_metric(f"CandidatesRefused_{verdict.reason}")
    requests = [verdict for verdict in verdicts if isinstance(verdict, ReviewRequest)]
    ports.review_queue.add_items(owner, map(review_item_for, requests))
    observations = [verdict for verdict in verdicts if isinstance(verdict, Observation)]
    if any(seen.denies for seen in observations):
        current = ports.facts.get_full_profile(owner).facts
        observations = deny_current_values(observations, current)
    return [*observations, *deny_opposites(observations)]


def _current_values(owner: Owner, candidates: Sequence[Candidate], ports: FactPorts) -> dict[str, str | None]:
    """Return the user's current values by key, empty where no event has enough candidates to rewrite a user."""
    per_event = Counter(candidate.event_id for candidate in candidates)
    if max(per_event.values(), default=0) <= CHANGES_MAX:
        return {}
    return {fact.key: fact.value for fact in ports.facts.get_full_profile(owner).facts}


def _extractor(model: str, ports: FactPorts) -> Extractor:
    return Extractor(
        model=model, prompt_version=ports.instructions.version, instructions=ports.instructions.text
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
    left = one_per_key(observations)
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
            extractor=extractor or ports.version,
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
