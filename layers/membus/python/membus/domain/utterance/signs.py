"""The signs by which words turn out not to state something of their speaker, in the order in which they count."""

from typing import TYPE_CHECKING

from membus.domain.instructions import gives_orders, points_elsewhere
from membus.domain.utterance import frames, stance
from membus.domain.utterance.evidence import Evidence
from membus.domain.utterance.subjects import is_about_another
from membus.domain.utterance.text import plain
from membus.domain.verdict import Reason

if TYPE_CHECKING:
    from collections.abc import Callable


def sign_against(place: Evidence, *, attribute: str, value: str, quote: str) -> Reason | None:
    """Return the first sign against this place: whose words they are comes before what they say."""
    texts = (plain(value), plain(quote), plain(place.speech[slice(*place.sentence)]))
    signs: tuple[tuple[Reason, Callable[[], bool]], ...] = (
        ("recalled", lambda: frames.is_recalled(place)),
        ("assistant", lambda: frames.is_the_assistants(place)),
        ("instruction", lambda: any(map(gives_orders, texts))),
        ("url", lambda: any(map(points_elsewhere, texts[:2]))),
        ("role_play", lambda: frames.is_played(place)),
        ("hearsay", lambda: frames.is_hearsay(place)),
        ("quoted", lambda: frames.is_quoted(place)),
        ("question", lambda: stance.asks(place)),
        ("third_party", lambda: is_about_another(place, attribute)),
        ("hypothetical", lambda: stance.supposes(place, attribute)),
        ("negated", lambda: stance.denies(place, attribute, value)),
        ("sarcasm", lambda: frames.is_a_joke(place)),
    )
    return next((reason for reason, shows in signs if shows()), None)
