"""scripts/demo: the files it can be given."""

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


def test_jsonl_is_read_line_by_line_in_the_order_of_the_file(file: Path) -> None:
    file.write_text(
        '{"event_id":"b","user_id":"u","type":"a.b"}\n\n{"event_id":"a","user_id":"u","type":"a.b"}\n'
    )

    assert [event["event_id"] for event in read_source(file).events] == ["b", "a"]


def test_one_event_alone_is_jsonl_too(file: Path) -> None:
    file.write_text('{"event_id":"b","user_id":"u","type":"a.b"}')

    assert len(read_source(file).events) == 1


def test_events_without_an_id_get_the_same_ones_in_every_run_and_equal_lines_stay_two(file: Path) -> None:
    line = '{"user_id":"u","type":"element.clicked","payload":{"name":"save"}}\n'
    file.write_text(line * 2)

    ids = [event["event_id"] for event in read_source(file).events]

    assert len(set(ids)) == 2
    assert ids == [event["event_id"] for event in read_source(file).events]


def test_a_limit_keeps_the_first_events(file: Path) -> None:
    file.write_text(
        '{"event_id":"a","user_id":"u","type":"a.b"}\n{"event_id":"b","user_id":"u","type":"a.b"}\n'
    )

    assert [event["event_id"] for event in read_source(file, limit=1).events] == ["a"]


@pytest.mark.parametrize(
    ("content", "told"),
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
def test_what_is_no_event_is_refused_by_line_and_with_what_was_expected(
    file: Path, content: str, told: str
) -> None:
    file.write_text(content)

    with pytest.raises(DemoError) as refused:
        read_source(file)

    assert told in str(refused.value)
    assert "Expected one of: JSONL" in str(refused.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match=r"no-such-file: No such file"):
        read_source(tmp_path / "no-such-file")
    with pytest.raises(DemoError, match=r"directory"):
        read_source(tmp_path)


def test_bytes_that_are_no_text_are_refused(file: Path) -> None:
    file.write_bytes(b"\x80PNG")

    with pytest.raises(DemoError, match="not UTF-8"):
        read_source(file)


def test_a_locomo_conversation_is_read_session_by_session_with_a_minute_a_turn(file: Path) -> None:
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


def test_a_first_name_that_two_conversations_share_names_two_people(file: Path) -> None:
    file.write_text(json.dumps([a_sample(), a_sample("conv-2", ("Ann", "Bo"))]))

    assert set(read_source(file, conversation=2).list_users()) == {"ann-conv-2", "bo"}


def test_a_conversation_that_is_not_in_the_file_is_answered_with_those_that_are(file: Path) -> None:
    file.write_text(json.dumps([a_sample()]))

    with pytest.raises(DemoError, match=r"no conversation 2 in this LoCoMo file: 1 = conv-1"):
        read_source(file, conversation=2)


def test_the_history_of_a_conversation_holds_what_both_said_once_and_in_order(file: Path) -> None:
    file.write_text(json.dumps([a_sample()]))

    history = transcript(read_source(file).list_events("ann"))

    assert history == "Ann: Hey!\nMary Lou: Look [shares a photo: a dog]\nAnn: Later."


def test_a_beam_chat_is_one_user_and_an_assistant_a_minute_apart_from_each_anchor(file: Path) -> None:
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
