"""Episodes in dictionaries: one identity for each event, its content beside it."""

from collections.abc import Mapping, Sequence

from membus.core.event import FORGOTTEN, RecordedEvent
from membus.core.identity import Owner
from membus.core.pages import Page
from membus.episodes.model import Episode, EpisodeQuery, EventTrace, ReadingCost, mark_before, place_of
from membus.facts.candidates import ANSWERS_ADAPTER, AnswersByEvent, EventAnswer

Identity = tuple[Owner, str]


class InMemoryEpisodes:
    """`extracted` says for each known id which extractor read it; `contents` holds what may be read."""

    def __init__(self) -> None:
        self.extracted: dict[Identity, str | None] = {}
        self.contents: dict[Identity, RecordedEvent] = {}
        self.shares: dict[Identity, ReadingCost] = {}
        self.answers: dict[tuple[Owner, str, str, str], tuple[EventAnswer, ...]] = {}

    def record_event(self, recorded: RecordedEvent, *, extracted: str | None) -> RecordedEvent:
        identity = identity_of(recorded)
        if identity not in self.extracted:
            self.extracted[identity] = extracted
            self.contents[identity] = recorded.model_copy(update={"extracted": None})
        first = self.contents.get(identity, recorded)
        return first.model_copy(update={"extracted": self.extracted[identity]})

    def forget_event(self, recorded: RecordedEvent) -> None:
        self.extracted.setdefault(identity_of(recorded), FORGOTTEN)

    def find_trace(self, owner: Owner, event_id: str) -> EventTrace | None:
        identity = owner, event_id
        if identity not in self.extracted:
            return None
        kept = self.contents.get(identity)
        return EventTrace(
            event=kept.event if kept else None,
            extracted=self.extracted[identity],
            learned_at=kept.learned_at if kept else None,
            answers={
                f"{version}:{model}": ANSWERS_ADAPTER.dump_json(given).decode()
                for (known, each, version, model), given in sorted(self.answers.items(), key=str)
                if (known, each) == identity
            },
            share=self.shares.get(identity),
        )

    def get_answers(self, owners: Mapping[str, Owner], *, prompt_version: str, model: str) -> AnswersByEvent:
        kept = (
            (each, self.answers.get((owner, each, prompt_version, model))) for each, owner in owners.items()
        )
        return {event_id: given for event_id, given in kept if given is not None}

    def save_answers(self, owner: Owner, answers: AnswersByEvent, *, prompt_version: str, model: str) -> None:
        for event_id, given in answers.items():
            if (owner, event_id) in self.extracted:
                self.answers[owner, event_id, prompt_version, model] = tuple(given)

    def delete_answers(
        self, owner: Owner, event_ids: Sequence[str], *, prompt_version: str, model: str
    ) -> None:
        for event_id in event_ids:
            self.answers.pop((owner, event_id, prompt_version, model), None)

    def list_episodes(
        self, wanted: EpisodeQuery, *, limit: int, after: dict[str, str] | None
    ) -> Page[Episode]:
        mark, end = after["mark"] if after else mark_before(wanted.start), mark_before(wanted.end)
        left = sorted(
            (place, recorded)
            for recorded in self.contents.values()
            if mark < (place := place_of(recorded.event)) < end and _answers(recorded, wanted)
        )
        items = tuple(Episode(event=each.event, learned_at=each.learned_at) for _, each in left[:limit])
        return Page(items, {"mark": left[limit - 1][0]} if len(left) > limit else None)


def identity_of(recorded: RecordedEvent) -> Identity:
    return recorded.owner, recorded.event_id


def _answers(recorded: RecordedEvent, wanted: EpisodeQuery) -> bool:
    event = recorded.event
    return (
        event.tenant_id == wanted.tenant
        and wanted.shows_agent(event.agent_id)
        and wanted.session_id in {None, event.session_id}
        and wanted.user_id in {None, event.user_id}
    )
