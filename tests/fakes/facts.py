"""Facts in dictionaries, committed all or not at all."""

from collections import defaultdict

from membus.core.errors import ConflictError, NotFoundError
from membus.core.identity import Owner
from membus.core.pages import Page
from membus.facts.fact import Fact, ObservationHistory, ObservationPosition, ObservationSnapshot, position_of
from membus.facts.observation import Observation
from membus.facts.ports import FactCommit, VersionedFact
from membus.facts.profile import Profile
from tests.fakes.episodes import InMemoryEpisodes, identity_of
from tests.fakes.listing import page_of


class InMemoryFacts:
    """Marks events as read in the `episodes` it shares a table with."""

    def __init__(self, episodes: InMemoryEpisodes | None = None) -> None:
        self._episodes = episodes or InMemoryEpisodes()
        self._profiles: dict[Owner, Profile] = {}
        self._facts: dict[Owner, dict[str, Fact]] = defaultdict(dict)
        self._revisions: dict[tuple[Owner, str], int] = {}
        self._carried: dict[Owner, dict[str, ObservationSnapshot]] = defaultdict(dict)
        self._seen: dict[Owner, dict[tuple[str, str, str], Observation]] = defaultdict(dict)

    def get_profile(self, owner: Owner) -> Profile:
        return self._profiles.get(owner, Profile(owner=owner))

    def get_full_profile(self, owner: Owner) -> Profile:
        profile = self.get_profile(owner)
        held = tuple(fact for fact in self._facts[owner].values() if not fact.is_retracted)
        return profile if profile.complete else profile.model_copy(update={"facts": held})

    def get_fact(self, owner: Owner, key: str) -> Fact:
        return self.get_versioned_fact(owner, key).fact

    def get_versioned_fact(self, owner: Owner, key: str) -> VersionedFact:
        if key not in self._facts[owner] or self._facts[owner][key].is_retracted:
            raise NotFoundError(f"nothing is known under {key}")
        return VersionedFact(self._facts[owner][key], self._revisions[owner, key])

    def list_facts(
        self, owner: Owner, *, kind: str | None, limit: int, after: dict[str, str] | None
    ) -> Page[Fact]:
        mine = self._facts[owner]
        return page_of(
            mine,
            limit=limit,
            after=after,
            keep=lambda fact: kind in {None, fact.kind} and not fact.is_retracted,
        )

    def list_observations(self, owner: Owner, key: str | None = None) -> list[Observation]:
        mine = sorted(self._seen[owner].items())
        return [seen for _, seen in mine if key in {None, seen.key}]

    def get_history(self, owner: Owner, key: str) -> ObservationHistory:
        carried, seen = self._carried[owner].get(key), self.list_observations(owner, key)
        return ObservationHistory(
            tuple(each for each in seen if not carried or carried.is_older_than(each)), carried
        )

    def list_observation_range(
        self,
        owner: Owner,
        key: str,
        *,
        beyond: ObservationPosition | None,
        limit: int,
        backwards: bool = False,
    ) -> list[Observation]:
        seen = sorted(self.list_observations(owner, key), key=position_of)
        if backwards:
            return [each for each in seen if beyond is None or position_of(each) < beyond][-limit:]
        return [each for each in seen if beyond is None or position_of(each) > beyond][:limit]

    def commit(self, change: FactCommit) -> None:
        owner = change.profile.owner
        if change.facts and change.profile.version != self.get_profile(owner).version + 1:
            raise ConflictError("somebody else wrote this profile")
        identities = [identity_of(event) for event in change.events]
        if any(identity not in self._episodes.extracted for identity in identities):
            raise ConflictError("an event was never recorded")
        if any(self._episodes.extracted[identity] == change.extractor for identity in identities):
            raise ConflictError("an event was read in the meantime")
        if any(identity_of(event) in self._episodes.extracted for event in change.new_events):
            raise ConflictError("a new event is known")
        if change.facts:
            self._profiles[owner] = change.profile
        self._revisions |= {(owner, fact.key): change.profile.version for fact in change.facts}
        self._facts[owner] |= {fact.key: fact for fact in change.facts}
        forward: dict[str, ObservationSnapshot | None] = {**self._carried[owner], **change.snapshots}
        self._carried[owner] = {key: carried for key, carried in forward.items() if carried}
        self._seen[owner] |= {_place(seen): seen for seen in change.observations}
        self._episodes.extracted |= dict.fromkeys(identities, change.extractor)
        shares = {(owner, event_id): share for event_id, share in change.costs.items()}
        self._episodes.shares |= {identity: shares[identity] for identity in identities if identity in shares}
        if query := change.query:
            kept = {
                event_id: query.answers[event_id]
                for event_id in query.answers
                if (owner, event_id) in identities
            }
            self._episodes.save_answers(owner, kept, prompt_version=query.prompt_version, model=query.model)
        for event in change.new_events:
            self._episodes.record_event(event, extracted=change.extractor)


def _place(seen: Observation) -> tuple[str, str, str]:
    return seen.key, seen.learned_at.isoformat(timespec="milliseconds"), seen.provenance.event_id
