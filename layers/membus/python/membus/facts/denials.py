"""Denials: observations that end a value and teach none; of likes and dislikes, each denies the other."""

from collections.abc import Iterable, Sequence

from membus.facts.observation import Observation, Trust

OPPOSITES = {"likes": "dislikes", "dislikes": "likes"}


def deny_opposites(observations: Iterable[Observation]) -> list[Observation]:
    """Return the denials that follow from what a user states: who can't stand coffee likes it no more."""
    return [
        seen.model_copy(update={"key": f"{OPPOSITES[root]}.{slug}", "denies": True})
        for seen in observations
        for root, _, slug in [seen.key.partition(".")]
        if root in OPPOSITES and _holds(seen)
    ]


def one_per_key(observations: Sequence[Observation]) -> list[Observation]:
    """Return the last observation of each key and event; what an event states outweighs what it denies."""
    ordered = sorted(observations, key=lambda seen: not seen.denies)
    return list({(seen.key, seen.provenance.event_id): seen for seen in ordered}.values())


def _holds(seen: Observation) -> bool:
    return seen.trust is Trust.USER_STATED and not seen.denies and seen.valid_until is None
