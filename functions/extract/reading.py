"""How the events of a tenant and an agent are read: instructions, attributes and rules, with their version."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from functions.extract.prompt import CURRENT_INSTRUCTIONS, ExtractionInstructions, add_own_words
from membus.facts.behaviour_rules import RULE_GROUPS, RuleGroup
from membus.facts.rules import RULES_VERSION, rule_groups_with
from membus.facts.validation.validator import VALIDATION_VERSION
from membus.tenants.settings import ExtractionSettings, MemorySettings

OWN_DIGEST_CHARACTERS = 8
NOTHING_OF_ITS_OWN = ExtractionSettings()
OVER_BUDGET = f"rules-{RULES_VERSION}"
"""The extractor version of an event that only the rules have read, for want of money.

A replay reads it in full.
"""


@dataclass(frozen=True)
class Reading:
    """What events are read by. The version of the instructions names a tenant's own words by a digest."""

    instructions: ExtractionInstructions = CURRENT_INSTRUCTIONS
    settings: ExtractionSettings = NOTHING_OF_ITS_OWN
    rule_groups: tuple[RuleGroup, ...] = RULE_GROUPS

    @property
    def version(self) -> str:
        """The extractor version of an event that was read in full: it is not read again at this version."""
        return f"{OVER_BUDGET}.prompt-{self.instructions.version}.gate-{VALIDATION_VERSION}"


STANDARD_READING = Reading()


def make_reading(settings: MemorySettings, agent: str) -> Reading:
    """Return how events of an agent are read under a tenant's settings."""
    return _make_reading(settings.model_dump_json(), agent)


@lru_cache(maxsize=256)
def _make_reading(settings_json: str, agent: str) -> Reading:
    settings = MemorySettings.model_validate_json(settings_json)
    own = settings.extraction_of(agent)
    rule_groups = rule_groups_with(settings.rules) if settings.rules else RULE_GROUPS
    if own == NOTHING_OF_ITS_OWN:
        return Reading(rule_groups=rule_groups)
    digest = hashlib.sha256(own.model_dump_json().encode()).hexdigest()[:OWN_DIGEST_CHARACTERS]
    instructions = add_own_words(
        CURRENT_INSTRUCTIONS, own, version=f"{CURRENT_INSTRUCTIONS.version}+{digest}"
    )
    return Reading(instructions, own, rule_groups)
