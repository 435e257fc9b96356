"""What a tenant may set: rules that exist, attributes that a model may write, words that are no secret."""

from datetime import datetime

from membus.core.errors import ConflictError, InvalidError
from membus.facts.attributes import normalize_path
from membus.facts.behaviour_rules import ACTIVITY_ROOT, RULE_GROUPS, CountRule
from membus.facts.text_checks import contains_secret
from membus.tenants.settings import (
    AttributeSettings,
    ExtractionSettings,
    MemorySettings,
    SettingsStore,
    VersionedSettings,
)

RESERVED_ATTRIBUTES = frozenset({"setting", "frustrated_by", ACTIVITY_ROOT})
"""Attributes that only rules write: what a user does is not for a model to claim."""


def change_settings(
    tenant: str,
    settings: MemorySettings,
    *,
    expected_version: int | None,
    now: datetime,
    store: SettingsStore,
) -> VersionedSettings:
    """Replace a tenant's settings and return them with their new version; the same ones again change nothing.

    Raises:
        InvalidError: `bad_settings`.
        ConflictError: the version in force is not the expected one, or somebody else changes it now.
    """
    checked, before = check_settings(settings), store.get_settings(tenant)
    if expected_version not in {None, before.version}:
        raise ConflictError(f"the settings are at version {before.version}, not {expected_version}")
    if checked == before.settings and before.version:
        return before
    changed = VersionedSettings(version=before.version + 1, changed_at=now, settings=checked)
    store.save_settings(tenant, changed)
    return changed


def check_settings(settings: MemorySettings) -> MemorySettings:
    """Return the settings with the attributes by the names that facts have.

    Raises:
        InvalidError: `bad_settings`, naming what cannot be set.
    """
    counting = {rule.name for group in RULE_GROUPS for rule in group.rules if isinstance(rule, CountRule)}
    if unknown := sorted(settings.rules.keys() - counting):
        raise _error(f"rules: there is no counting rule {', '.join(unknown)}; docs/events.md lists them")
    agents = {agent: _check_extraction(own, f"agents.{agent}") for agent, own in settings.agents.items()}
    extraction = _check_extraction(settings.extraction, "extraction")
    return settings.model_copy(update={"extraction": extraction, "agents": agents})


def _check_extraction(own: ExtractionSettings, where: str) -> ExtractionSettings:
    if contains_secret(own.instructions):
        raise _error(f"{where}.instructions: a key, a password or an account number is no instruction")
    attributes = tuple(_check_attribute(each, where) for each in own.attributes)
    names = [each.attribute for each in attributes]
    if len(set(names)) < len(names):
        raise _error(f"{where}.attributes: two of them are names of one attribute")
    never = tuple(map(normalize_path, own.never))
    return own.model_copy(update={"attributes": attributes, "never": never})


def _check_attribute(own: AttributeSettings, where: str) -> AttributeSettings:
    path = normalize_path(own.attribute)
    if path.split(".")[0] in RESERVED_ATTRIBUTES:
        raise _error(f"{where}.attributes: {path} is written by rules alone")
    return own.model_copy(update={"attribute": path})


def _error(detail: str) -> InvalidError:
    return InvalidError(detail, code="bad_settings")
