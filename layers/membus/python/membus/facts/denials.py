"""What observations do to other values: end them, deny their opposites, or stand beside them."""

import re
from collections.abc import Iterable, Sequence

from membus.core.text.terms import stem_words
from membus.facts.attributes import (
    NONE_OF_ITS_OWN,
    OwnAttributes,
    is_single_valued,
    key_beside,
    slugify,
)
from membus.facts.commit import CurrentFacts
from membus.facts.fact import Fact
from membus.facts.observation import Observation, Trust

OPPOSITES = {"likes": "dislikes", "dislikes": "likes"}
THINGS = frozenset({"pet", "owns", "family", "friend", "relationship", "work", "home", "event", "plan"})
"""Attributes of one thing each, which more words only describe: who sold the red Vespa sold the Vespa.

Who no longer likes instant coffee may like coffee.
"""


def deny_opposites(observations: Iterable[Observation]) -> list[Observation]:
    """Return the denials that follow from what a user states: who can't stand coffee likes it no more."""
    return [
        seen.model_copy(update={"key": f"{OPPOSITES[root]}.{slug}", "denies": True})
        for seen in observations
        for root, _, slug in [seen.key.partition(".")]
        if root in OPPOSITES and _holds(seen)
    ]


def deny_current_values(
    observations: Iterable[Observation], current: Sequence[Fact], own: OwnAttributes = NONE_OF_ITS_OWN
) -> list[Observation]:
    """Return the observations, each denial with the key and value of the one current fact that it names.

    «Rex died» ends `pet: Rex (dog)`. A denial stays as it is where a fact has just its value, and where no
    fact of its attribute, or more than one, has all of its words. Of a thing the fact may also have fewer.
    """
    return [_deny_current(seen, current, own) if seen.denies else seen for seen in observations]


def _deny_current(denial: Observation, current: Sequence[Fact], own: OwnAttributes) -> Observation:
    path = denial.key if is_single_valued(denial.key, own) else denial.key.rpartition(".")[0]
    facts = [fact for fact in current if fact.key == path or fact.key.startswith(f"{path}.")]
    if any(fact.key == denial.key and fact.names_value_of(denial) for fact in facts):
        return denial
    words = set(stem_words(denial.value or ""))
    is_thing = path.partition(".")[0] in THINGS
    named = [
        fact
        for fact in facts
        for known in [set(stem_words(fact.value or ""))]
        if words and known and (words <= known or (is_thing and known <= words))
    ]
    if len(named) != 1:
        return denial
    return denial.model_copy(update={"key": named[0].key, "value": named[0].value})


ADDED_TO = frozenset({"work", "home", "education"})
"""First words of attributes with one value of which a person may have a second: jobs, homes, schools."""
_ADDS = re.compile(
    r"\b(?:also|too|as well|another|second|besides|on the side|part[- ]time|in addition|auch|nebenbei|aussi|également|también"
    r"|además|também|anche|ook|också|også|również|także|také|myös|тоже|также|juga)\b|也|もう一つ|도 "
)


def keep_beside_current(
    observations: Iterable[Observation], current: CurrentFacts, own: OwnAttributes = NONE_OF_ITS_OWN
) -> list[Observation]:
    """Return the observations, one that adds another value in the key beside the current value.

    «I also work as a DJ» leaves `work.role: nurse`; «I work as a DJ» replaces it.
    """
    kept = []
    for seen in observations:
        if (
            not seen.denies
            and seen.key.partition(".")[0] in ADDED_TO
            and _ADDS.search(seen.provenance.quote.casefold())
        ):
            before = next((fact for fact in current.facts if fact.key == seen.key), None)
            kept.append(_place_beside(seen) if before and _are_unlike(before, seen, own) else seen)
        else:
            kept.append(seen)
    return kept


def one_per_key(
    observations: Sequence[Observation], own: OwnAttributes = NONE_OF_ITS_OWN
) -> list[Observation]:
    """Return one observation of each key and event; what an event states outweighs what it denies.

    Another value that an event states of an attribute with one value stands beside the first: a nurse and DJ
    is `work.role: nurse` and `work.role.dj: DJ`.
    """
    kept: dict[tuple[str, str], Observation] = {}
    for seen in sorted(observations, key=lambda each: not each.denies):
        before = kept.get((seen.key, seen.provenance.event_id))
        placed = _place_beside(seen) if before and _are_unlike(before, seen, own) else seen
        kept[placed.key, placed.provenance.event_id] = placed
    return list(kept.values())


def _are_unlike(before: Observation, seen: Observation, own: OwnAttributes) -> bool:
    stated = not before.denies and not seen.denies and is_single_valued(seen.key, own)
    return stated and slugify(before.value or "") != slugify(seen.value or "")


def _place_beside(seen: Observation) -> Observation:
    key = key_beside(seen.key, seen.value or "")
    return seen.model_copy(update={"key": key}) if key else seen


def _holds(seen: Observation) -> bool:
    return seen.trust is Trust.USER_STATED and not seen.denies and seen.valid_until is None
