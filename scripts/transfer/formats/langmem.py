"""LangMem's memories, as the items of the LangGraph store they lie in: statements that a model wrote.

An item, as its `dict()` has it, is `{"namespace": ["memories", "u-17"], "key", "value", "created_at",
"updated_at"}` (langchain-ai/langgraph, libs/checkpoint/langgraph/store/base). LangMem's `value` is
`{"content": "…"}` by its tool and `{"kind": "Memory", "content": {"content": "…"}}` by its manager, or a
schema of one's own under `content`. The last label of the namespace is taken for the user
(langchain-ai.github.io/langmem/guides/dynamically_configure_namespaces).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.transfer.rows import ImportRow, RejectedRow, SourceRecord, read_records, statement_event

USED = ("key", "created_at", "updated_at")


def read(path: Path) -> Iterator[ImportRow]:
    for record in read_records(path, "items"):
        yield record if isinstance(record, RejectedRow) else _item(record)


def _item(record: SourceRecord) -> ImportRow:
    fields = record.fields
    namespace, key, value = fields.get("namespace"), fields.get("key"), fields.get("value")
    if not isinstance(namespace, list) or key is None or not isinstance(value, dict):
        return RejectedRow(record.where, "it has no `namespace`, `key` and `value`")
    user = namespace[-1] if len(namespace) > 1 else None
    at = fields.get("updated_at") or fields.get("created_at")
    return statement_event(
        record,
        "langmem",
        "/".join([*map(str, namespace), str(key)]),
        text=_text(value),
        user=user,
        at=at,
        used=USED,
    )


def _text(value: dict[str, Any]) -> str | None:
    """Return the words, or a schema of one's own as `name: value` pairs."""
    content = value.get("content")
    if isinstance(content, dict) and isinstance(content.get("content"), str):
        content = content["content"]
    if isinstance(content, dict):
        return ", ".join(f"{name}: {_plain(each)}" for name, each in content.items())
    return content if isinstance(content, str) else None


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
