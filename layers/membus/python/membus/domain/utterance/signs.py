"""The signs by which words turn out not to state something of their speaker, in the order in which they count."""

from typing import TYPE_CHECKING

from membus.domain.instructions import addresses_reader, contains_link
from membus.domain.utterance import frames, stance
from membus.domain.utterance.evidence import Evidence
from membus.domain.utterance.subjects import is_about_another
from membus.domain.utterance.text import normalize_text
from membus.domain.verdict import VerdictReason

if TYPE_CHECKING:
    from collections.abc import Callable


def find_objection(place: Evidence, *, attribute: str, value: str, quote: str) -> VerdictReason | None:
    """Return the first sign against this place: whose words they are comes before what they say."""
    texts = (
        normalize_text(value),
        normalize_text(quote),
        normalize_text(place.speech[slice(*place.sentence)]),
    )
    signs: tuple[tuple[VerdictReason, Callable[[], bool]], ...] = (
        ("recalled", lambda: frames.is_recalled(place)),
        ("assistant", lambda: frames.is_assistant_text(place)),
        ("instruction", lambda: any(map(addresses_reader, texts))),
        ("url", lambda: any(map(contains_link, texts[:2]))),
        ("role_play", lambda: frames.is_role_play(place)),
        ("hearsay", lambda: frames.is_hearsay(place)),
        ("quoted", lambda: frames.is_quoted(place)),
        ("question", lambda: stance.is_question(place)),
        ("third_party", lambda: is_about_another(place, attribute)),
        ("hypothetical", lambda: stance.is_hypothetical(place, attribute)),
        ("negated", lambda: stance.is_negated(place, attribute, value)),
        ("sarcasm", lambda: frames.is_sarcastic(place)),
    )
    return next((reason for reason, shows in signs if shows()), None)
