"""LangMem's memories, as the items of their LangGraph store: statements of a model.

The `dict()` of an item is `{"namespace": ["memories", "u-17"], "key", "value", "created_at", "updated_at"}`
(langchain-ai/langgraph, libs/checkpoint/langgraph/store/base). LangMem's `value` is `{"content": "…"}` by
its tool and `{"kind": "Memory", "content": {"content": "…"}}` by its manager, or a schema of one's own
under `content`. The last label of the namespace is the user
(langchain-ai.github.io/langmem/guides/dynamically_configure_namespaces).
"""

import json
from collections.abc import Iterator
from typing import Any

from scripts.transfer.rows import ImportRow, RejectedRow, SourceRecord, make_event

LISTS = ("items",)
USED = ("key", "created_at", "updated_at")


def convert(record: SourceRecord) -> Iterator[ImportRow]:
    fields = record.fields
    namespace, key, value = fields.get("namespace"), fields.get("key"), fields.get("value")
    if not isinstance(namespace, list) or key is None or not isinstance(value, dict):
        yield RejectedRow(record.where, "it has no `namespace`, `key` and `value`")
        return
    named = "/".join([*map(str, namespace), str(key)])
    user = namespace[-1] if len(namespace) > 1 else None
    at = fields.get("updated_at") or fields.get("created_at")
    yield make_event(record, "langmem", named, _text(value), user=user, at=at, used=USED)


def _text(value: dict[str, Any]) -> str | None:
    """Return the text, or a schema of one's own as `name: value` pairs."""
    content = value.get("content")
    if isinstance(content, dict) and isinstance(content.get("content"), str):
        content = content["content"]
    if isinstance(content, dict):
        texts = {
            name: each if isinstance(each, str) else json.dumps(each, ensure_ascii=False)
            for name, each in content.items()
        }
        return ", ".join(f"{name}: {text}" for name, text in texts.items())
    return content if isinstance(content, str) else None
