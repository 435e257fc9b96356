"""Fills a JSON schema with words of a text: required fields only, each by the name of its property."""

import json
import re
from typing import Any

from localstack.model.rulebook import sentences_of

Schema = dict[str, Any]
MAX_ITEMS = 8
SUMMARY_SENTENCES = 5
TITLE_WORDS = 6
CHARACTERS_MAX = 240  # of a sentence or an item: a model that sums up does not copy whole listings
PART = re.compile(r"<part>\n(.*?)\n</part>", re.DOTALL)
PLAIN = {"boolean": False, "null": None}
NAME = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z][\w'-]+(?: [A-Z][\w'-]+)*", re.MULTILINE)
FIGURE = re.compile(r"\b(?:\d[\d.,:/-]*\d|\d)(?: ?(?:%|am|pm|dollars|euros?|years?|days?|hours?))?")
DECISION = re.compile(r"\b(?:decided?|will|going to|agreed|chose)\b", re.IGNORECASE)


def fill(schema: Schema, text: str) -> Any:
    """Return a value that fits the schema, made of the words of the text or of its last <part> block."""
    return _fill_value(schema, _read_part(text), "", schema.get("$defs", {}))


def _read_part(text: str) -> str:
    """Return the `text` of each JSON line of the last <part> block, else the whole text."""
    parts = PART.findall(text)
    if not parts:
        return text
    return "\n".join(str(json.loads(line).get("text", "")) for line in parts[-1].splitlines())


def _fill_value(schema: Schema, text: str, name: str, known: Schema) -> Any:
    schema = _resolve(schema, known)
    kind = schema.get("type", "string")
    if "const" in schema:
        return schema["const"]
    if choices := schema.get("enum"):
        return next((choice for choice in choices if str(choice).lower() in text.lower()), choices[0])
    if kind == "object":
        properties = schema.get("properties", {})
        return {
            each: _fill_value(properties.get(each, {}), text, each, known)
            for each in schema.get("required", [])
        }
    if kind == "array":
        return _fill_list(schema, text, name, known)
    if kind in {"integer", "number"}:
        found = re.search(r"-?\d+(?:\.\d+)?", text)
        number = float(found[0]) if found else 0.0
        return int(number) if kind == "integer" else number
    return PLAIN[kind] if kind in PLAIN else _fill_string(text, name)


def _resolve(schema: Schema, known: Schema) -> Schema:
    """Return the schema behind a reference, and the first of several that is not null."""
    if "$ref" in schema:
        return _resolve(known[schema["$ref"].rsplit("/", 1)[-1]], known)
    choices = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if choices:
        return _resolve(next((each for each in choices if each.get("type") != "null"), choices[0]), known)
    kind = schema.get("type")
    return schema | {"type": kind[0]} if isinstance(kind, list) else schema


def _fill_list(schema: Schema, text: str, name: str, known: Schema) -> list[Any]:
    items = _resolve(schema.get("items", {"type": "string"}), known)
    if items.get("type") == "string" and "enum" not in items:
        return [phrase[:CHARACTERS_MAX] for phrase in _find_phrases(text, name)[:MAX_ITEMS]]
    return [_fill_value(items, text, name, known)] if schema.get("minItems") else []


def _fill_string(text: str, name: str) -> str:
    if "title" in name:
        return " ".join(text.split()[:TITLE_WORDS])
    if any(part in name for part in ("summary", "content", "description")):
        return _summarise(text)
    return " ".join(text.split())


def _find_phrases(text: str, name: str) -> list[str]:
    """Return what a list of this name is made of: names, figures, questions, decisions, else sentences."""
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


def _summarise(text: str) -> str:
    """Return the sentences with most names and figures, in their order."""
    sentences = sentences_of(text)
    weight = {each: len(NAME.findall(each)) + len(FIGURE.findall(each)) for each in sentences}
    best = sorted(sentences, key=lambda each: -weight[each])[:SUMMARY_SENTENCES]
    return " ".join(each[:CHARACTERS_MAX] for each in sentences if each in best)
