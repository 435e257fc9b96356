"""scripts import: records belong to the right user, and two users never become one."""

import json
from pathlib import Path

import pytest

from membus.core.errors import InvalidError
from scripts.transfer.mapping import read_user_map
from tests.support.imports import SAMPLES, imported


def test_import_for_one_user_takes_records_of_one_user_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mem0.jsonl"
    rows = [
        {"id": str(n), "memory": "Likes tea", "user_id": user, "created_at": "2025-01-01"}
        for n, user in enumerate("aab")
    ]
    file.write_text("\n".join(map(json.dumps, rows)))

    result, events = imported(file, "mem0")

    assert len(events) == 2
    assert [(each.where, "use --map" in each.why) for each in result.bad] == [("line 3", True)]


def test_map_gives_each_record_to_its_user_and_rejects_others(tmp_path: Path) -> None:
    file, users = tmp_path / "mem0.jsonl", tmp_path / "users.json"
    rows = [
        {"id": "1", "memory": "Likes tea", "user_id": user, "created_at": "2025-01-01"}
        for user in ("a", "b", "c", None)
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    users.write_text('{"a": "ada", "b": "bob"}')

    result, events = imported(file, "mem0", user=None, map=users)

    assert [each.event.user_id for each in events] == ["ada", "bob"]
    assert len({each.event.event_id for each in events}) == 2
    assert [each.where for each in result.bad] == ["line 3", "line 4"]


def test_file_imported_for_two_users_makes_two_events_of_each_record() -> None:
    adas, bobs = (imported(SAMPLES / "mem0.json", "mem0", user=user)[1] for user in ("ada", "bob"))

    assert {each.event.event_id for each in adas}.isdisjoint(each.event.event_id for each in bobs)


def test_map_may_join_two_users_without_losing_a_record(tmp_path: Path) -> None:
    file, users = tmp_path / "mem0.jsonl", tmp_path / "users.json"
    rows = [{"id": "1", "memory": "Likes tea", "user_id": user, "created_at": "2025-01-01"} for user in "ab"]
    file.write_text("\n".join(map(json.dumps, rows)))
    users.write_text('{"a": "ada", "b": "ada"}')

    _, events = imported(file, "mem0", user=None, map=users)

    assert len({each.event.event_id for each in events}) == 2


@pytest.mark.parametrize("text", ["[]", '{"a": 1}', "{", '{"a": "b c"}'])
def test_invalid_map_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "users.json"
    file.write_text(text)

    with pytest.raises(InvalidError):
        read_user_map(file)
