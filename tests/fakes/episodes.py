"""Episodes in dictionaries: one identity for each event, its content beside it."""

from membus.domain.event import FORGOTTEN, Recorded

Identity = tuple[str, str]


class InMemoryEpisodes:
    """`extracted` says for each known id which extractor read it; `contents` holds what may be read."""

    def __init__(self) -> None:
        self.extracted: dict[Identity, str | None] = {}
        self.contents: dict[Identity, Recorded] = {}

    def record(self, recorded: Recorded, *, extracted: str | None) -> Recorded:
        identity = identity_of(recorded)
        if identity not in self.extracted:
            self.extracted[identity] = extracted
            self.contents[identity] = recorded.model_copy(update={"extracted": None})
        first = self.contents.get(identity, recorded)
        return first.model_copy(update={"extracted": self.extracted[identity]})

    def forget(self, recorded: Recorded) -> None:
        self.extracted.setdefault(identity_of(recorded), FORGOTTEN)


def identity_of(recorded: Recorded) -> Identity:
    return recorded.event.tenant_id, recorded.event.event_id
