"""scripts/transfer/formats: the exports of other systems, read into rows that may become events."""

import io
import json
import tracemalloc
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import ijson
import pytest

from membus.core.errors import InvalidError
from scripts.transfer.formats import FORMATS
from scripts.transfer.json_files import StreamableJson, open_json, restore_numbers
from scripts.transfer.rows import ImportableEvent, ImportRow, RejectedRow, SkippedRow, parse_timestamp

SAMPLES = Path(__file__).parent.parent / "samples" / "imports"
Kinds = tuple[list[ImportableEvent], list[SkippedRow], list[RejectedRow]]


def read(source: str, file: str) -> Kinds:
    return sorted_out(FORMATS[source](SAMPLES / file))


def sorted_out(reads: object) -> Kinds:
    found: list[ImportRow] = list(reads)  # type: ignore[call-overload]
    return (
        [each for each in found if isinstance(each, ImportableEvent)],
        [each for each in found if isinstance(each, SkippedRow)],
        [each for each in found if isinstance(each, RejectedRow)],
    )


def said(found: list[ImportableEvent]) -> list[tuple[str, str, str | None]]:
    return [(each.type, each.payload["text"], each.payload.get("role")) for each in found]


def test_mem0_memories_are_statements_without_speaker() -> None:
    found, _, bad = read("mem0", "mem0.json")

    assert said(found) == [
        ("memory.imported", "Is vegetarian and likes hiking", None),
        ("memory.imported", "Planning a trip to Kyoto", None),
    ]
    first, second = found
    assert (first.user, first.source_id) == ("alex", "f4cbdb08-7062-4f3e-8eb2-9f5c80dfe64c")
    assert first.occurred_at == datetime(2024, 7, 26, 10, 29, 36, 630547, timezone(timedelta(hours=-7)))
    assert first.payload["fields"]["metadata"] == {"category": "food"}, "what membus does not know is kept"
    assert second.session == "trip-1"
    assert second.agent is not None
    assert second.agent.startswith("id-"), "an id that would leave its folder is replaced"
    assert [each.where for each in bad] == ["item 3 of results", "item 4 of results"]
    assert "schema of one's own" in bad[1].why


def test_zep_messages_have_a_speaker_and_its_facts_have_none() -> None:
    found, left_out, bad = read("zep", "zep.jsonl")

    assert said(found) == [
        ("message.sent", "I live in Lisbon.", "user"),
        ("message.sent", "Lovely city.", "assistant"),
        ("message.sent", "I like tea.", "user"),
        ("memory.imported", "Ada lives in Lisbon", None),
    ]
    assert {each.user for each in found} == {"ada-at-zep"}
    assert [each.session for each in found] == ["thread-9", "thread-9", "old-session", None]
    assert [each.why for each in left_out] == ["a system message"]
    assert [each.where for each in bad] == ["line 5", "line 6"]
    assert "not valid JSON" in bad[1].why


def test_agent_file_has_messages_and_the_notes_about_the_user() -> None:
    found, left_out, bad = read("letta", "letta.af")

    assert said(found) == [
        ("message.sent", "I work as a nurse.", "user"),
        ("message.sent", "A nurse, wonderful!", "assistant"),
        ("memory.imported", "First name: Ada. Likes tea.", None),
    ]
    assert [each.agent for each in found] == ["agent-0", "agent-0", None]
    assert Counter(each.why for each in left_out) == {
        "a message of system that nobody said": 1,
        "a message of user that nobody said": 1,
        "a message of tool that nobody said": 1,
        "a message of assistant that nobody said": 1,
        "the agent's block persona": 1,
    }
    assert bad == []


def test_agent_file_of_the_former_format_is_read() -> None:
    found, _, _ = read("letta", "letta_before.af")

    assert said(found) == [("memory.imported", "Name: Ada", None), ("message.sent", "I like chess.", "user")]
    assert found[0].occurred_at == datetime(2025, 4, 2, 10, tzinfo=UTC)


def test_langmem_memories_may_have_a_schema_of_their_own() -> None:
    found, _, bad = read("langmem", "langmem.jsonl")

    assert [each.payload["text"] for each in found] == [
        "User prefers dark mode",
        "User's favorite color is blue",
        'name: Ada, languages: ["en", "pt"]',
    ]
    assert {each.user for each in found} == {"user-123"}
    assert found[0].source_id == "memories/user-123/5f1c"
    assert [each.where for each in bad] == ["line 4"]


def test_agentcore_events_have_a_speaker_and_its_records_have_none() -> None:
    found, left_out, bad = read("agentcore", "agentcore.jsonl")

    assert said(found) == [
        ("message.sent", "I am allergic to peanuts.", "user"),
        ("message.sent", "Noted.", "assistant"),
        ("memory.imported", "The user is allergic to peanuts.", None),
    ]
    assert {each.user for each in found} == {"user-1"}
    assert len({each.source_id for each in found}) == 3
    assert found[2].occurred_at == datetime(2025, 4, 28, 16, 1, 0, 500_000, UTC)
    assert sorted(each.why for each in left_out) == [
        "a blob, whose shape is the application's own",
        "a message of tool",
    ]
    assert [each.where for each in bad] == ["line 3"]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("[\n1, 2]", ["item 1", "item 2"]),
        ("{", ["the file"]),
        ('"x"\n{}', ["line 1", "line 2"]),
        ("", ["the file"]),
        ('{"results": []}', []),
    ],
)
def test_value_that_is_no_object_is_rejected_by_its_place(
    tmp_path: Path, written: str, text: list[str]
) -> None:
    file = tmp_path / "export.json"
    file.write_text(written)

    assert [each.where for each in FORMATS["mem0"](file)] == text


def test_line_that_is_not_utf8_is_rejected_alone(tmp_path: Path) -> None:
    file = tmp_path / "export.jsonl"
    file.write_bytes(b'{"memory": "\xff"}\n{"id": "1", "memory": "Likes tea", "created_at": "2025-01-01"}\n')

    found, _, bad = sorted_out(FORMATS["mem0"](file))

    assert [each.where for each in bad] == ["line 1"]
    assert [each.occurred_at for each in found] == [datetime(2025, 1, 1, tzinfo=UTC)]


@pytest.mark.parametrize("odd", ["NaN", "-Infinity", str(2**70), "1e999"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("shape", ["[\n{}, {}]", '{{"results": [\n{}, {}]}}', "{}\n{}\n"])
def test_odd_number_costs_its_record_and_a_byte_order_mark_none(
    tmp_path: Path, shape: str, encoding: str, odd: str
) -> None:
    rows = f'{{"memory": "Bob", "score": {odd}}}', '{"memory": "Likes \\"NaN\\", te\u00e9", "score": -1}'
    file = tmp_path / "export.json"
    file.write_bytes(shape.format(*rows).encode(encoding))

    found, _, bad = sorted_out(FORMATS["mem0"](file))

    assert [each.payload["text"] for each in found] == ['Likes "NaN", te\u00e9']
    assert len(bad) == 1
    assert "1" in bad[0].where


@pytest.mark.parametrize("size", range(1, 40))
def test_streamed_text_is_the_same_wherever_it_is_cut(tmp_path: Path, size: int) -> None:
    file = tmp_path / "export.json"
    file.write_text(
        '[{"a\\"NaN": "Infinity \\\\", "b": -Infinity}, NaN, {"c": [1e999, true, -1e300, 12345678901234567890123]}]'
    )
    with open_json(file) as opened:
        reader = StreamableJson(opened)
        text = b"".join(iter(lambda: reader.read(size), b"")).decode()

    assert restore_numbers(text) == file.read_text()
    assert next(iter(ijson.items(io.BytesIO(text.encode()), "item")))['a"NaN'] == "Infinity \\"


def test_record_without_id_gets_one_from_its_content(tmp_path: Path) -> None:
    file = tmp_path / "export.jsonl"
    file.write_text('{"memory": "Likes tea"}\n{"memory": "Likes tea"}\n{"memory": "Likes cake"}\n')

    first, again, other = (
        each.source_id for each in FORMATS["mem0"](file) if isinstance(each, ImportableEvent)
    )

    assert first == again != other


@pytest.mark.parametrize("value", ["yesterday", True, 10**20, "2025-13-01"])
def test_invalid_time_is_refused(value: object) -> None:
    with pytest.raises(InvalidError):
        parse_timestamp(value)


def written(folder: Path, *rows: dict[str, Any], name: str = "export.jsonl") -> Path:
    file = folder / name
    file.write_text("\n".join(map(json.dumps, rows)))
    return file


def test_mem0_memory_kept_word_for_word_has_a_speaker(tmp_path: Path) -> None:
    row = {"id": "1", "memory": "I like tea", "user_id": "u", "created_at": "2025-01-01", "actor_id": "Ada"}
    file = written(tmp_path, row | {"role": "user"}, row | {"role": "assistant"}, row | {"role": "tool"}, row)

    found, _, _ = sorted_out(FORMATS["mem0"](file))

    assert [(each.type, each.payload.get("role")) for each in found] == [
        ("message.sent", "user"),
        ("message.sent", "assistant"),
        ("memory.imported", None),
        ("memory.imported", None),
    ]
    assert found[0].payload["fields"] == {"actor_id": "Ada"}


def test_zep_version_4_has_a_reference_time_and_uuids(tmp_path: Path) -> None:
    message = {"uuid": "m1", "role": "user", "content": "I like tea", "created_at": "2026-02-01T00:00:00Z"}
    page = {
        "thread_uuid": "t1",
        "user_uuid": "u1",
        "messages": [message | {"reference_time": "2026-01-01T00:00:00Z"}],
    }

    (found,), _, _ = sorted_out(FORMATS["zep"](written(tmp_path, page)))

    assert (found.user, found.session, found.occurred_at) == ("u1", "t1", datetime(2026, 1, 1, tzinfo=UTC))


def test_block_of_an_agent_file_is_at_most_as_old_as_the_file() -> None:
    found, _, _ = read("letta", "letta.af")

    assert found[2].occurred_at == datetime(2025, 5, 2, tzinfo=UTC)


def test_unknown_role_and_unknown_fields_are_kept_with_the_statement(tmp_path: Path) -> None:
    odd = {
        "uuid": "m1",
        "role": "moderator",
        "content": "Be nice",
        "created_at": "2025-01-01",
        "emoji": ["\u2615"],
    }
    file = written(
        tmp_path, odd, {"uuid": "m2", "role": "user", "content": None, "created_at": 7}, odd | {"uuid": "m3"}
    )

    found, _, bad = sorted_out(FORMATS["zep"](file))

    assert [(each.type, each.source_id) for each in found] == [
        ("memory.imported", "m1"),
        ("memory.imported", "m3"),
    ]
    assert found[0].payload["fields"] == {"role": "moderator", "emoji": ["\u2615"]}
    assert [each.where for each in bad] == ["line 2"]


def test_large_document_is_read_item_by_item(tmp_path: Path) -> None:
    file = tmp_path / "export.json"
    row = json.dumps({"id": "1", "memory": "Likes tea " * 50, "user_id": "u", "created_at": "2025-01-01"})
    with file.open("w") as out:
        out.write('{\n"results": [' + ",\n".join([row] * 8_000) + '], "count": 8000}')
    assert file.stat().st_size > 4_000_000

    tracemalloc.start()
    kinds = Counter(type(each) for each in FORMATS["mem0"](file))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert kinds == {ImportableEvent: 8_000}
    assert most < 1_000_000


def test_fields_after_a_list_count_for_its_items(tmp_path: Path) -> None:
    file = tmp_path / "export.json"
    file.write_text(
        '{\n"messages": [{"uuid": "1", "role": "user", "content": "hi", "created_at": 7}],\n"user_id": "u"}'
    )

    (found,), _, _ = sorted_out(FORMATS["zep"](file))

    assert found.user == "u"


def test_no_record_of_an_incomplete_document_is_read(tmp_path: Path) -> None:
    file = tmp_path / "export.json"
    file.write_text('{\n"results": [{"id": "1", "memory": "Likes tea", "created_at": 7},\n')

    assert [type(each) for each in FORMATS["mem0"](file)] == [RejectedRow]


def test_milliseconds_and_seconds_are_distinguished() -> None:
    assert (
        parse_timestamp(1_745_856_060_500)
        == parse_timestamp(1_745_856_060.5)
        == datetime(2025, 4, 28, 16, 1, 0, 500_000, UTC)
    )
