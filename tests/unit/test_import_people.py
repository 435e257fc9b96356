"""scripts import: records become the right person's, and nobody becomes somebody else."""

import json
from pathlib import Path

import pytest

from membus.core.errors import InvalidError
from scripts.transfer.mapping import read_user_map
from tests.support.imports import SAMPLES, imported


def test_with_one_user_named_a_file_is_about_one_of_its_users(tmp_path: Path) -> None:
    file = tmp_path / "mem0.jsonl"
    rows = [
        {"id": str(n), "memory": "Likes tea", "user_id": user, "created_at": "2025-01-01"}
        for n, user in enumerate("aab")
    ]
    file.write_text("\n".join(map(json.dumps, rows)))

    result, events = imported(file, "mem0")

    assert len(events) == 2
    assert [(each.where, "use --map" in each.why) for each in result.bad] == [("line 3", True)]


def test_a_map_sends_each_to_their_own_and_nobody_to_another(tmp_path: Path) -> None:
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


def test_a_file_imported_for_two_people_is_two_events_for_each_record() -> None:
    adas, bobs = (imported(SAMPLES / "mem0.json", "mem0", user=user)[1] for user in ("ada", "bob"))

    assert {each.event.event_id for each in adas}.isdisjoint(each.event.event_id for each in bobs)


def test_two_of_the_sources_users_may_become_one_without_losing_a_record(tmp_path: Path) -> None:
    file, users = tmp_path / "mem0.jsonl", tmp_path / "users.json"
    rows = [{"id": "1", "memory": "Likes tea", "user_id": user, "created_at": "2025-01-01"} for user in "ab"]
    file.write_text("\n".join(map(json.dumps, rows)))
    users.write_text('{"a": "ada", "b": "ada"}')

    _, events = imported(file, "mem0", user=None, map=users)

    assert len({each.event.event_id for each in events}) == 2


@pytest.mark.parametrize("text", ["[]", '{"a": 1}', "{", '{"a": "b c"}'])
def test_a_map_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "users.json"
    file.write_text(text)

    with pytest.raises(InvalidError):
        read_user_map(file)
