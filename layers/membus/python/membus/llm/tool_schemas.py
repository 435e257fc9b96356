"""What a model reads of a tool: the docstring and the JSON Schema of its arguments, in stable bytes."""

from typing import Any

from pydantic import BaseModel


def describe_arguments(arguments: type[BaseModel]) -> tuple[str, dict[str, Any]]:
    """Return the description and the schema of a model of arguments: the same bytes in every process."""
    schema = _sorted_without_titles(arguments.model_json_schema())
    description = " ".join(schema.pop("description").split())
    return description, schema


def _sorted_without_titles(part: Any) -> Any:
    """Return a schema with its keys in order, without the titles that repeat the names of fields."""
    if isinstance(part, dict):
        named = ((name, part[name]) for name in sorted(part))
        return {
            name: _sorted_without_titles(value)
            for name, value in named
            if name != "title" or isinstance(value, dict)
        }
    return [_sorted_without_titles(each) for each in part] if isinstance(part, list) else part
