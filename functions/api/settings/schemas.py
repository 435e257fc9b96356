"""The JSON of a tenant's settings."""

from pydantic import Field

from functions.api.fields import request_body
from membus.tenants.settings import MemorySettings

SETTINGS_EXAMPLE = {
    "memory_scope": "agent",
    "extraction": {
        "instructions": "Keep which plants users grow, and where.",
        "attributes": [{"attribute": "garden.zone", "values": "one"}, {"attribute": "garden.plant"}],
        "never": ["health"],
    },
    "agents": {"planner": {"attributes": [{"attribute": "garden.task", "expires_after_days": 30}]}},
    "rules": {"repeated-server-error": {"count": 5, "minutes": 60}},
}


class SettingsIn(MemorySettings):
    """All settings: what is left out is as everywhere."""

    model_config = request_body(SETTINGS_EXAMPLE)

    expected_version: int | None = Field(
        default=None,
        ge=0,
        strict=True,
        description="the version you know, 0 where nothing is set; left out: any",
    )

    @property
    def settings(self) -> MemorySettings:
        return MemorySettings.model_validate(self.model_dump(exclude={"expected_version"}))
