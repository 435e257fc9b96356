"""Normalised attribute paths: the words that make a fact's key."""

import hashlib
import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

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
        "diet",
        "language",
        "timezone",
        "activity.checkout",
        "activity.plan",
        "activity.subscription",
    }
)
"""A new value of one of these replaces the old one; every other attribute holds many values side by side."""
MEASURES = frozenset(
    {"years", "age", "count", "status", "size", "height", "weight", "email", "phone", "address"}
)
"""Where a path ends in one of these it holds one value: six years of experience replace five."""
SYNONYMS = {
    "city": "home.city",
    "town": "home.city",
    "lives_in": "home.city",
    "home.town": "home.city",
    "residence": "home.city",
    "location": "home.city",
    "location.city": "home.city",
    "address.city": "home.city",
    "current_city": "home.city",
    "residence.city": "home.city",
    "country": "home.country",
    "location.country": "home.country",
    "address.country": "home.country",
    "residence.country": "home.country",
    "hometown": "origin.place",
    "origin": "origin.place",
    "born_in": "origin.place",
    "birthplace": "origin.place",
    "nationality": "origin.country",
    "origin.city": "origin.place",
    "job": "work.role",
    "job.title": "work.role",
    "job_title": "work.role",
    "occupation": "work.role",
    "profession": "work.role",
    "work.title": "work.role",
    "work.position": "work.role",
    "work.job": "work.role",
    "employer": "work.employer",
    "company": "work.employer",
    "works_at": "work.employer",
    "work.company": "work.employer",
    "job.employer": "work.employer",
    "school": "education.school",
    "university": "education.school",
    "education.university": "education.school",
    "education.major": "education.field",
    "major": "education.field",
    "studies": "education.field",
    "marital_status": "relationship.status",
    "relationship_status": "relationship.status",
    "first_name": "name",
    "full_name": "name",
    "user.name": "name",
    "identity.name": "name",
    "birth_date": "birthday",
    "date_of_birth": "birthday",
    "birthdate": "birthday",
    "identity.age": "age",
    "native_language": "language",
    "mother_tongue": "language",
    "language.native": "language",
    "time_zone": "timezone",
    "location.timezone": "timezone",
    "home.timezone": "timezone",
    "like": "likes",
    "loves": "likes",
    "enjoys": "likes",
    "interest": "likes",
    "interests": "likes",
    "favorite": "likes",
    "preference.likes": "likes",
    "dislike": "dislikes",
    "hates": "dislikes",
    "hobbies": "hobby",
    "pets": "pet",
    "allergies": "allergy",
    "allergic_to": "allergy",
    "health.allergy": "allergy",
    "dietary": "diet",
    "dietary_preference": "diet",
    "food.diet": "diet",
    "own": "owns",
    "possession": "owns",
    "skills": "skill",
    "goals": "goal",
    "plans": "plan",
    "friends": "friend",
    "travel.visited": "visited",
    "mother": "family.mother",
    "father": "family.father",
    "sister": "family.sister",
    "brother": "family.brother",
    "family.mom": "family.mother",
    "family.mum": "family.mother",
    "family.dad": "family.father",
    "son": "family.son",
    "daughter": "family.daughter",
    "children": "family.children",
}
"""What models call an attribute, and what it is called here: one home, whatever it is asked under."""
KEY_MAX = 200


def _is_letter(character: str) -> bool:
    """Letters, the marks that combine with them and decimal digits.

    Without the marks, मोर and मीर are one word.
    """
    category = unicodedata.category(character)
    return category[0] in "LM" or category == "Nd"


def _key(value: str) -> str:
    if not all(_is_letter(character) or character in "._-" for character in value) or value[0] in ".-":
        raise ValueError("a fact's key is letters, digits, dots, hyphens and underscores")
    return value


FactKey = Annotated[str, StringConstraints(min_length=1, max_length=KEY_MAX), AfterValidator(_key)]
_ATTRIBUTE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+){0,3}")
SLUG_MAX = 60


def fact_key(attribute: str, value: str) -> str | None:
    """Return the key that `value` lives under.

    None where the attribute is no path, too long, or leaves no slug.

    `home.city` is its own key; `likes` takes the value's slug: `likes.hiking`, so that two likes never
    compete and the same like said twice is one fact.
    """
    path = normalize_path(attribute)
    if len(path) > KEY_MAX - SLUG_MAX - 1 or not _ATTRIBUTE.fullmatch(path):
        return None
    if is_single_valued(path):
        return path
    slug = slugify(value)
    return f"{path}.{slug}" if slug else None


def normalize_path(attribute: str) -> str:
    """Return the path an attribute goes by; not every text that is asked for is one."""
    path = re.sub(r"[\s-]+", "_", attribute.strip().lower())
    return SYNONYMS.get(path, path)


def canonical_key(key: str) -> str:
    """Return the key that a fact asked for by hand goes by.

    A synonym, alone or in front of a slug, leads to one home.

    What holds one value takes no slug: `pets.count` stays, though `pets.rex` is `pet.rex`.
    """
    path, _, slug = key.rpartition(".")
    home = SYNONYMS.get(path, path)
    if key in SYNONYMS or home == path or is_single_valued(home) or is_single_valued(key):
        return SYNONYMS.get(key, key)
    return f"{home}.{slug}"


def is_single_valued(key: str) -> bool:
    """Whether another value of this key takes its place instead of standing beside it."""
    return key in SINGLE_VALUED or key.startswith("setting.") or key.rpartition(".")[2] in MEASURES


def slugify(value: str) -> str:
    """Return the letters and digits of `value` in lower case, joined by hyphens; at most 60 characters.

    A longer one ends in a digest: two plans that differ only in their last word are two plans.
    """
    folded = unicodedata.normalize("NFKC", value).casefold()
    words = "".join(character if _is_letter(character) else " " for character in folded).split()
    while words and words[0] in {"a", "an", "the", "my", "his", "her", "their", "our"}:
        words.pop(0)
    slug = "-".join(words)
    if len(slug) <= SLUG_MAX:
        return slug
    digest = hashlib.sha256(slug.encode()).hexdigest()[:8]
    return f"{slug[: SLUG_MAX - len(digest) - 1].rstrip('-')}-{digest}"


TIMEZONE_KEY = "timezone"
