"""Fills any JSON schema from a text.

Required fields only, strings extracted by the name of their property.

Makes a filled answer forget on purpose.

The share of its names and figures that a careless model would lose.
"""

import json
import re
from hashlib import sha256
from typing import Any

from localstack.model.rulebook import sentences_of

Schema = dict[str, Any]
MAX_ITEMS = 8
SUMMARY_SENTENCES = 5
TITLE_WORDS = 6
CHARACTERS_MAX = 240
"""Of a sentence or an entry of a list: a model that sums up does not copy whole listings."""
PART = re.compile(r"<part>\n(.*?)\n</part>", re.DOTALL)
PLAIN = {"boolean": False, "null": None}
NAME = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z][\w'-]+(?: [A-Z][\w'-]+)*", re.MULTILINE)
FIGURE = re.compile(r"\b(?:\d[\d.,:/-]*\d|\d)(?: ?(?:%|am|pm|dollars|euros?|years?|days?|hours?))?")
DECISION = re.compile(r"\b(?:decided?|will|going to|agreed|chose)\b", re.IGNORECASE)


def fill(schema: Schema, text: str) -> Any:
    """Return a value that satisfies the schema, made of the text's own words.

    Of its <part>, where it has one.
    """
    return _value(schema, _part(text), "", schema.get("$defs", {}))


def _part(text: str) -> str:
    """Return what is to be read: the `text` of each JSON line of the last <part> block, else everything."""
    parts = PART.findall(text)
    if not parts:
        return text
    return "\n".join(str(json.loads(line).get("text", "")) for line in parts[-1].splitlines())


def _value(schema: Schema, text: str, name: str, known: Schema) -> Any:
    schema = _resolved(schema, known)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return next(
            (choice for choice in schema["enum"] if str(choice).lower() in text.lower()), schema["enum"][0]
        )
    kind = schema.get("type", "string")
    if kind == "object":
        return _object(schema, text, known)
    if kind == "array":
        return _array(schema, text, name, known)
    if kind in {"integer", "number"}:
        return int(_number(text)) if kind == "integer" else _number(text)
    return PLAIN[kind] if kind in PLAIN else _string(text, name)


def _resolved(schema: Schema, known: Schema) -> Schema:
    """Follow a reference, and of a choice take the first that is not null."""
    if "$ref" in schema:
        return _resolved(known[schema["$ref"].rsplit("/", 1)[-1]], known)
    choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if choices:
        return _resolved(next((each for each in choices if each.get("type") != "null"), choices[0]), known)
    kind = schema.get("type")
    return schema | {"type": kind[0]} if isinstance(kind, list) else schema


def _object(schema: Schema, text: str, known: Schema) -> Schema:
    properties = schema.get("properties", {})
    return {name: _value(properties.get(name, {}), text, name, known) for name in schema.get("required", [])}


def _array(schema: Schema, text: str, name: str, known: Schema) -> list[Any]:
    items = _resolved(schema.get("items", {"type": "string"}), known)
    if items.get("type") == "string" and "enum" not in items:
        return [phrase[:CHARACTERS_MAX] for phrase in _phrases(text, name)[:MAX_ITEMS]]
    return [_value(items, text, name, known)] if schema.get("minItems") else []


def _number(text: str) -> float:
    found = re.search(r"-?\d+(?:\.\d+)?", text)
    return float(found[0]) if found else 0.0


def _string(text: str, name: str) -> str:
    if "title" in name:
        return " ".join(text.split()[:TITLE_WORDS])
    if any(part in name for part in ("summary", "content", "description")):
        return _summary(text)
    return " ".join(text.split())


def _phrases(text: str, name: str) -> list[str]:
    """Choose what a list is made of by its name.

    Entities, figures, open questions, decisions, else sentences.
    """
    sentences = sentences_of(text)
    if any(part in name for part in ("entit", "name", "people", "topic")):
        return list(dict.fromkeys(NAME.findall(text)))
    if any(part in name for part in ("number", "date", "figure")):
        return list(dict.fromkeys(FIGURE.findall(text)))
    if any(part in name for part in ("intent", "question", "unresolved", "open")):
        return [sentence for sentence in sentences if sentence.endswith("?")]
    if "decision" in name:
        return [sentence for sentence in sentences if DECISION.search(sentence)]
    return sentences


def _summary(text: str) -> str:
    """Keep the sentences that hold most names and figures, in their order."""
    sentences = sentences_of(text)
    weight = {each: len(NAME.findall(each)) + len(FIGURE.findall(each)) for each in sentences}
    best = sorted(sentences, key=lambda each: -weight[each])[:SUMMARY_SENTENCES]
    return " ".join(each[:CHARACTERS_MAX] for each in sentences if each in best)


_LOST = "something"
_WORTH = re.compile(rf"{FIGURE.pattern}|{NAME.pattern}", re.MULTILINE)


def drop_share(value: Any, share: float) -> Any:
    """Return the answer without that share of the names and figures in its texts, and of the entries of its lists.

    Which ones hangs on the words and what stands before them alone: the same answer forgets the same.
    """
    if isinstance(value, str):
        return _WORTH.sub(
            lambda found: _LOST if _falls(found[0], value[: found.start()], share) else found[0], value
        )
    if isinstance(value, list):
        return [
            drop_share(each, share)
            for place, each in enumerate(value)
            if not _falls(str(each), str(place), share)
        ]
    if isinstance(value, dict):
        return {name: drop_share(each, share) for name, each in value.items()}
    return value


def _falls(words: str, before: str, share: float) -> bool:
    drawn = sha256(f"{before}\0{words}".encode()).digest()
    return int.from_bytes(drawn[:4], "big") < share * 2**32
