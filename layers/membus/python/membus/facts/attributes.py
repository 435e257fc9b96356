"""Fact keys: the normalised path of an attribute and, where it holds many values, the slug of a value."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from membus.tenants.settings import AttributeSettings

SINGLE_VALUED = frozenset(
    {
        "name",
        "age",
        "birthday",
        "home.city",
        "home.country",
        "origin.place",
        "work.role",
        "work.employer",
        "education.school",
        "education.field",
        "relationship.status",
        "timezone",
        "gender",
        "pronouns",
        "blood_type",
        "activity.checkout",
        "activity.plan",
        "activity.subscription",
    }
)
"""Attributes with one value: a new one replaces it. Every other attribute holds many values side by side."""
OwnAttributes = Mapping[str, AttributeSettings]
"""What a tenant says of attributes, by path, before what membus knows of them."""
NONE_OF_ITS_OWN: OwnAttributes = MappingProxyType({})
DIET = "diet"
_WAY_OF_EATING = re.compile(
    r"(?:vegan|végan|veggie|v[eé]g[eé]t[aà]r|wegań|wegetari|веган|вегетари|pes[ck]|omniv|carniv|flexi)"
)
"""A diet is one way of eating, which another replaces, and what is not eaten besides: no gluten, halal."""
INTENDED_ATTRIBUTES = frozenset({"goal", "plan", "wish", "dream"})
"""First words of what a user intends."""
PAST_ATTRIBUTES = frozenset({"event", "experience", "visited", "education", "origin", "achievement"})
"""First words of what happened once: it stays true when it is over."""
MEASURES = frozenset(
    {"years", "age", "count", "status", "size", "height", "weight", "email", "phone", "address"}
)
"""Last words of paths with one value: six years of experience replace five."""
FAVOURITES = frozenset({"favorite", "favourite"})
"""First words of paths with one value: `favorite_color`."""
_NAMES_OF_MODELS = {
    "home.city": "city town lives_in home.town residence location location.city address.city current_city residence.city",
    "home.country": "country location.country address.country residence.country",
    "origin.place": "hometown origin born_in birthplace origin.city",
    "origin.country": "nationality",
    "work.role": "job job.title job_title occupation profession work.title work.position work.job",
    "work.employer": "employer company works_at work.company job.employer",
    "education.school": "school university education.university",
    "education.field": "education.major major studies",
    "relationship.status": "marital_status relationship_status",
    "name": "first_name full_name user.name identity.name",
    "birthday": "birth_date date_of_birth birthdate",
    "age": "identity.age",
    "language": "native_language mother_tongue language.native",
    "timezone": "time_zone location.timezone home.timezone",
    "likes": "like loves enjoys interest interests favorite preference.likes",
    "dislikes": "dislike hates",
    "hobby": "hobbies",
    "pet": "pets",
    "allergy": "allergies allergic_to health.allergy",
    "diet": "dietary dietary_preference food.diet",
    "owns": "own possession",
    "skill": "skills",
    "goal": "goals",
    "plan": "plans",
    "friend": "friends",
    "visited": "travel.visited",
    "family.mother": "mother family.mom family.mum",
    "family.father": "father family.dad",
    "family.sister": "sister",
    "family.brother": "brother",
    "family.son": "son",
    "family.daughter": "daughter",
    "family.children": "children",
}
SYNONYMS = {name: path for path, names in _NAMES_OF_MODELS.items() for name in names.split()}
"""The path of each name that models give an attribute."""
TIMEZONE_KEY = "timezone"
KEY_MAX = 200


def is_key_letter(character: str) -> bool:
    """Whether a character is a letter, a digit, or a mark that combines (or मोर and मीर were one word)."""
    category = unicodedata.category(character)
    return category[0] in "LM" or category == "Nd"


def _key(value: str) -> str:
    value = unicodedata.normalize("NFC", value)
    if not all(is_key_letter(character) or character in "._-" for character in value) or value[0] in ".-":
        raise ValueError("a fact's key is letters, digits, dots, hyphens and underscores")
    return value


FactKey = Annotated[str, StringConstraints(min_length=1, max_length=KEY_MAX), AfterValidator(_key)]
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+){0,3}")
_SETTING = "setting."
"""What the keys of settings begin with; a setting may have a name in any script."""
SETTING_DOTS_MAX = 2
SLUG_MAX = 60


def fact_key(attribute: str, value: str, own: OwnAttributes = NONE_OF_ITS_OWN) -> str | None:
    """Return the fact key of a value, None where the attribute is no path, too long, or leaves no slug.

    `home.city` is its own key. `likes` takes the value's slug, `likes.hiking`, so that two likes never
    compete and the same like said twice is one fact.
    """
    path = normalize_path(attribute)
    if len(path) > KEY_MAX - SLUG_MAX - 1 or not (_ATTRIBUTE.fullmatch(path) or _is_setting(path)):
        return None
    holds_any = path in own or path != DIET or _WAY_OF_EATING.match(value.strip().casefold())
    if is_single_valued(path, own) and holds_any:
        return path
    return key_beside(path, value)


def _is_setting(path: str) -> bool:
    name = path.removeprefix(_SETTING)
    return (
        name not in {path, ""}
        and name.count(".") <= SETTING_DOTS_MAX
        and all(is_key_letter(character) or character in "._" for character in name)
    )


def key_beside(path: str, value: str) -> str | None:
    """Return the key of a value that stands beside others of a path, None where it leaves no slug."""
    slug = slugify(value)
    return f"{path}.{slug}" if slug else None


def normalize_path(attribute: str) -> str:
    """Return the path of an attribute; not every text that is asked for is one."""
    path = re.sub(r"[\s-]+", "_", attribute.strip().lower())
    return SYNONYMS.get(path, path)


def canonical_key(key: str) -> str:
    """Return the key of a fact that a person asks for.

    A synonym, alone or before a slug, is replaced by its path. A path with one value takes no slug:
    `pets.count` stays, though `pets.rex` is `pet.rex`.
    """
    path, _, slug = key.rpartition(".")
    home = SYNONYMS.get(path, path)
    if key in SYNONYMS or home == path or is_single_valued(home) or is_single_valued(key):
        return SYNONYMS.get(key, key)
    return f"{home}.{slug}"


_DIGEST = re.compile(r"[-.][0-9a-f]{8}$")
_ONCE_SINGLE = ("language.", f"{DIET}.")


def former_keys(key: str) -> list[str]:
    """Return the keys that older versions gave the value of a key: without the digest of its signs, or no slug."""
    path = key.rpartition(".")[0]
    return [
        *([_DIGEST.sub("", key)] if _DIGEST.search(key) else []),
        *([path] if key.startswith(_ONCE_SINGLE) else []),
    ]


def is_single_valued(key: str, own: OwnAttributes = NONE_OF_ITS_OWN) -> bool:
    """Whether another value of this key replaces it instead of standing beside it."""
    if key in own:
        return own[key].values == "one"
    words = re.split(r"[._]", key)
    return (
        key in SINGLE_VALUED
        or key == DIET
        or key.startswith(_SETTING)
        or key.rpartition(".")[2] in MEASURES
        or (len(words) > 1 and (words[0] in FAVOURITES or ("." not in key and words[-1] in MEASURES)))
    )


def slugify(value: str) -> str:
    """Return the letters and digits of `value` in lower case, joined by hyphens; at most 60 characters.

    A value that these do not tell apart from another ends in a digest of all of it: one that is longer, one
    with signs (C, C++ and C#), one of signs alone (🍕). Empty only for a blank value.
    """
    folded = " ".join(unicodedata.normalize("NFKC", value).casefold().split())
    words = "".join(character if is_key_letter(character) else " " for character in folded).split()
    while len(words) > 1 and words[0] in _DETERMINERS:
        words.pop(0)
    slug = "-".join(words)
    signs = not slug or _SIGNS.search(
        "".join(each for each in folded if unicodedata.category(each)[0] != "M")
    )
    if not folded or (not signs and len(slug) <= SLUG_MAX):
        return slug
    digest = hashlib.sha256((folded if signs else slug).encode()).hexdigest()[:8]
    shown = slug[: SLUG_MAX - len(digest) - 1].rstrip("-")
    return f"{shown}-{digest}" if shown else digest


_DETERMINERS = frozenset({"a", "an", "the", "my", "his", "her", "their", "our"})
_SIGNS = re.compile(
    r"""(?<![^\W_])[-−–]\d|[^\W_][-−–](?![^\W_])|[^\w\s.,;:!?'"’‘“”«»„()\[\]/&_—–-]|\d[.,]\d"""
)
"""Signs that tell two values apart where letters and digits do not: -5 and 5, O- and O+, C and C#, 🍕."""
