"""What a tenant sets for its memory: what is read and kept, by which rules, and who sees it."""

from collections.abc import Mapping
from typing import Annotated, Literal, Protocol, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from membus.core.identity import Id, Record

INSTRUCTIONS_MAX, ATTRIBUTES_MAX, AGENTS_MAX = 2_000, 50, 50
AttributePath = Annotated[
    str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+){0,3}$", max_length=100)
]


class AttributeSettings(Record):
    """An attribute of the tenant's own, or a change to one that membus knows.

    With `values` one a new value replaces the one before, else values stand side by side. In `half_life_days`
    the confidence of an unrepeated fact halves; `expires_after_days` after it was said it is over.
    """

    attribute: AttributePath
    values: Literal["one", "many"] = "many"
    half_life_days: int | None = Field(default=None, ge=1, le=36_500)
    expires_after_days: int | None = Field(default=None, ge=1, le=36_500)


class ExtractionSettings(Record):
    """What the model is told to keep beside membus's own instructions, and what is never kept.

    `never` are attributes: one covers those below it, `health` also `health.weight`.
    """

    instructions: str = Field(default="", max_length=INSTRUCTIONS_MAX)
    attributes: tuple[AttributeSettings, ...] = Field(default=(), max_length=ATTRIBUTES_MAX)
    never: tuple[AttributePath, ...] = Field(default=(), max_length=ATTRIBUTES_MAX)

    @model_validator(mode="after")
    def _each_attribute_once(self) -> Self:
        names = [each.attribute for each in self.attributes]
        if len(set(names)) < len(names):
            raise ValueError("an attribute is named twice")
        return self

    @property
    def by_attribute(self) -> Mapping[str, AttributeSettings]:
        return {each.attribute: each for each in self.attributes}

    def never_keeps(self, path: str) -> bool:
        """Whether a path is one of those that are never kept, or below one."""
        return any(path == each or path.startswith(f"{each}.") for each in self.never)

    def joined_with(self, more: "ExtractionSettings") -> "ExtractionSettings":
        """Return these settings with an agent's own: its attributes replace those of the same name."""
        texts = (text for text in (self.instructions, more.instructions) if text)
        return ExtractionSettings.model_construct(
            instructions="\n".join(texts),
            attributes=tuple((dict(self.by_attribute) | dict(more.by_attribute)).values()),
            never=tuple(dict.fromkeys((*self.never, *more.never))),
        )


class RuleWindow(Record):
    """How often, and within which time, what a counting rule counts has to happen."""

    count: int = Field(ge=1, le=50)
    minutes: float = Field(gt=0, le=60 * 24 * 90, allow_inf_nan=False)


class MemorySettings(Record):
    """The settings of a tenant; what is left out is as everywhere.

    With `memory_scope` agent, notes, documents and episodes that name an agent are seen by that agent alone;
    with user, every agent sees all of the user's. Facts and summaries are every agent's in both.
    """

    memory_scope: Literal["agent", "user"] = "agent"
    rules: dict[str, RuleWindow] = Field(default_factory=dict, max_length=ATTRIBUTES_MAX)
    extraction: ExtractionSettings = ExtractionSettings()
    agents: dict[Id, ExtractionSettings] = Field(default_factory=dict, max_length=AGENTS_MAX)

    def extraction_of(self, agent: str) -> ExtractionSettings:
        own = self.agents.get(agent)
        return self.extraction.joined_with(own) if own else self.extraction

    @property
    def shares_agents(self) -> bool:
        """Whether every agent sees what other agents keep of the user."""
        return self.memory_scope == "user"


class VersionedSettings(Record):
    """Settings and their version, 0 where the tenant has set nothing; each change makes another version."""

    version: int = 0
    changed_at: AwareDatetime | None = None
    settings: MemorySettings = MemorySettings()


class SettingsReader(Protocol):
    def get_settings(self, tenant: str) -> VersionedSettings:
        """Return the settings in force; UnavailableError where the store cannot be reached."""


class NoSettings:
    """Nothing is set by any tenant."""

    def get_settings(self, tenant: str) -> VersionedSettings:
        return VersionedSettings()


class SettingsStore(SettingsReader, Protocol):
    def get_settings_version(self, tenant: str, version: int) -> VersionedSettings:
        """Return an earlier version, NotFoundError where there is none."""

    def save_settings(self, tenant: str, changed: VersionedSettings) -> None:
        """Write the version after the one in force; ConflictError where it is not the next one."""
