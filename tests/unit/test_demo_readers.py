"""scripts/demo/sources: the files that the demo reads."""

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.demo import DemoError
from scripts.demo.sources import read_source, transcript


def a_turn(dia_id: str, speaker: str, text: str, **more: str) -> dict[str, str]:
    return {"dia_id": dia_id, "speaker": speaker, "text": text} | more


def a_sample(name: str = "conv-1", speakers: tuple[str, str] = ("Ann", "Mary Lou")) -> dict[str, Any]:
    first, second = speakers
    return {
        "sample_id": name,
        "conversation": {
            "speaker_a": first,
            "speaker_b": second,
            "session_10_date_time": "9:05 am on 2 June, 2023",
            "session_10": [a_turn("D10:1", first, "Later.")],
            "session_2_date_time": "1:56 pm on 8 May, 2023",
            "session_2": [
                a_turn("D2:1", first, "Hey!"),
                a_turn("D2:2", second, "Look", blip_caption="a dog"),
            ],
        },
    }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "input"


def test_jsonl_events_keep_the_order_of_the_file(file: Path) -> None:
    file.write_text(
        '{"event_id":"b","user_id":"u","type":"a.b"}\n\n{"event_id":"a","user_id":"u","type":"a.b"}\n'
    )

    assert [event["event_id"] for event in read_source(file).events] == ["b", "a"]


def test_file_of_one_event_is_jsonl(file: Path) -> None:
    file.write_text('{"event_id":"b","user_id":"u","type":"a.b"}')

    assert len(read_source(file).events) == 1


def test_events_without_id_get_the_same_ids_in_every_run_and_equal_lines_stay_two(file: Path) -> None:
    line = '{"user_id":"u","type":"element.clicked","payload":{"name":"save"}}\n'
    file.write_text(line * 2)

    ids = [event["event_id"] for event in read_source(file).events]

    assert len(set(ids)) == 2
    assert ids == [event["event_id"] for event in read_source(file).events]


def test_limit_keeps_the_first_events(file: Path) -> None:
    file.write_text(
        '{"event_id":"a","user_id":"u","type":"a.b"}\n{"event_id":"b","user_id":"u","type":"a.b"}\n'
    )

    assert [event["event_id"] for event in read_source(file, limit=1).events] == ["a"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        (" \n \n", "is empty"),
        ('{"user_id":"u","type":"a.b"}\n{oops}\n', "line 2: not JSON"),
        ('\n{"user_id":"u","type":"a.b"}\n[1]\n', "line 3: not a JSON object"),
        ('{"user_id":"u"}\n', "line 1: the event has no `type`"),
        ('{"type":"a.b","user_id":"a b"}\n', "line 1: `user_id`: use letters"),
        ('{"type":"a.b","user_id":""}\n', "line 1: the event has no `user_id`"),
        ('{"user_id":"u","type":"a.b","payload":"text"}\n', "line 1: `payload` is not an object"),
        ('[{"user_id":"u","type":"a.b"}]', "line 1: not a JSON object"),
        ("name,city\nmia,Bath\n", "line 1: not JSON"),
    ],
)
def test_invalid_event_is_reported_by_line_with_what_is_expected(
    file: Path, content: str, message: str
) -> None:
    file.write_text(content)

    with pytest.raises(DemoError) as refused:
        read_source(file)

    assert message in str(refused.value)
    assert "Expected one of: JSONL" in str(refused.value)


def test_missing_file_and_folder_are_reported_by_name(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match=r"no-such-file: No such file"):
        read_source(tmp_path / "no-such-file")
    with pytest.raises(DemoError, match=r"directory"):
        read_source(tmp_path)


def test_file_that_is_not_utf8_is_refused(file: Path) -> None:
    file.write_bytes(b"\x80PNG")

    with pytest.raises(DemoError, match="not UTF-8"):
        read_source(file)


def test_locomo_turns_are_a_minute_apart_session_by_session(file: Path) -> None:
    file.write_text(json.dumps([a_sample()]))

    source = read_source(file)

    assert [event["event_id"] for event in source.events] == ["conv-1-D2-1", "conv-1-D2-2", "conv-1-D10-1"]
    assert source.events[1] == {
        "event_id": "conv-1-D2-2",
        "user_id": "mary-lou",
        "session_id": "2",
        "type": "message.sent",
        "occurred_at": "2023-05-08T13:57:00Z",
        "payload": {"text": "Look [shares a photo: a dog]", "speaker": "Mary Lou"},
    }


def test_first_name_in_two_conversations_names_two_users(file: Path) -> None:
    file.write_text(json.dumps([a_sample(), a_sample("conv-2", ("Ann", "Bo"))]))

    assert set(read_source(file, conversation=2).list_users()) == {"ann-conv-2", "bo"}


def test_unknown_conversation_is_answered_with_those_in_the_file(file: Path) -> None:
    file.write_text(json.dumps([a_sample()]))

    with pytest.raises(DemoError, match=r"no conversation 2 in this LoCoMo file: 1 = conv-1"):
        read_source(file, conversation=2)


def test_history_of_a_conversation_has_both_speakers_once_in_order(file: Path) -> None:
    file.write_text(json.dumps([a_sample()]))

    history = transcript(read_source(file).list_events("ann"))

    assert history == "Ann: Hey!\nMary Lou: Look [shares a photo: a dog]\nAnn: Later."


def test_beam_messages_are_a_minute_apart_from_the_last_date(file: Path) -> None:
    turn = [
        {"role": "user", "id": 0, "content": "Plan my week ->-> 1,1", "time_anchor": "March-15-2024"},
        {"role": "assistant", "id": 1, "content": "Gladly."},
    ]
    file.write_text(json.dumps({"id": "100K-1", "chat": [{"batch_number": 1, "turns": [turn]}]}))

    events = read_source(file).events

    assert [event["payload"] for event in events] == [
        {"text": "Plan my week", "role": "user"},
        {"text": "Gladly.", "role": "assistant"},
    ]
    assert [event["occurred_at"] for event in events] == ["2024-03-15T00:00:00Z", "2024-03-15T00:01:00Z"]
    assert {event["user_id"] for event in events} == {"beam-100k-1"}
