"""Extraction, scripted answers and the log of calls, as the functions and their tests use the server."""

import json
from typing import Any, Literal
from uuid import uuid4

import httpx2
import pytest
from anthropic import Anthropic
from pydantic import BaseModel, ValidationError


class Fact(BaseModel):
    event_id: str
    subject: str
    attribute: str
    value: str
    quote: str
    kind: str
    stance: Literal["stated", "hypothetical", "negated", "question"]


class Facts(BaseModel):
    facts: list[Fact]


def extraction(*texts: str, kind: str = "message.sent") -> Any:
    lines = [
        json.dumps(
            {"event_id": f"e{place}", "type": kind, "occurred_at": "2026-11-20", "speaker": "u", "text": text}
        )
        for place, text in enumerate(texts)
    ]
    block = "\n".join(["<events>", *lines, "</events>"])
    return {
        "model": "m",
        "max_tokens": 2000,
        "messages": [{"role": "user", "content": f"Extract facts.\n{block}"}],
        "output_format": Facts,
    }


def test_events_become_facts_that_name_their_event_and_its_words(anthropic: Anthropic) -> None:
    parsed = anthropic.messages.parse(**extraction("Nice weather!", "I live in Porto now.")).parsed_output

    assert parsed == Facts(
        facts=[
            Fact(
                event_id="e1",
                subject="user",
                attribute="home.city",
                value="Porto",
                quote="I live in Porto",
                kind="place",
                stance="stated",
            )
        ]
    )


def test_events_other_than_messages_have_no_facts(anthropic: Anthropic) -> None:
    done = extraction("I changed the setting theme from light to dark", kind="setting.changed")

    assert anthropic.messages.parse(**done).parsed_output == Facts(facts=[])


def test_garbage_does_not_parse_and_its_repair_is_garbage_too(anthropic: Anthropic) -> None:
    spoiled = extraction("I live in Porto. [[fault:garbage]]")
    with pytest.raises(ValidationError):
        anthropic.messages.parse(**spoiled)

    repair = [
        *spoiled["messages"],
        {"role": "assistant", "content": "?"},
        {"role": "user", "content": "Again."},
    ]

    with pytest.raises(ValidationError):
        anthropic.messages.parse(**{**spoiled, "messages": repair})


def test_a_repair_after_one_bad_answer_reads_the_events_again(anthropic: Anthropic) -> None:
    spoiled = extraction(f"I live in Porto. [[fault:garbage*1#{uuid4().hex}]]")
    with pytest.raises(ValidationError):
        anthropic.messages.parse(**spoiled)

    repair = [
        *spoiled["messages"],
        {"role": "assistant", "content": "?"},
        {"role": "user", "content": "Again."},
    ]
    parsed = anthropic.messages.parse(**{**spoiled, "messages": repair}).parsed_output

    assert parsed is not None
    assert [fact.value for fact in parsed.facts] == ["Porto"]


def test_scripted_answers_go_in_order_to_matching_calls(anthropic: Anthropic, model_url: str) -> None:
    mine = uuid4().hex
    answers = [
        {"json": {"facts": []}, "match": mine},
        {"text": "second", "match": mine},
        {"fault": "refusal", "match": mine},
        {"fault": "slow=0.01", "match": mine},
    ]
    httpx2.post(f"{model_url}/_script", json={"answers": answers}).raise_for_status()

    other = anthropic.messages.create(
        model="m", max_tokens=50, messages=[{"role": "user", "content": "Hello?"}]
    )
    replies = [
        anthropic.messages.create(
            model="m", max_tokens=50, messages=[{"role": "user", "content": f"{mine}?"}]
        )
        for _ in range(5)
    ]

    assert [block.text for reply in replies for block in reply.content if block.type == "text"] == [
        '{"facts": []}',
        "second",
        *["I do not know that yet. Tell me, and I will remember it."] * 2,
    ]
    assert [reply.stop_reason for reply in replies] == [
        "end_turn",
        "end_turn",
        "refusal",
        "end_turn",
        "end_turn",
    ]
    assert other.content[0].type == "text"
    assert other.content[0].text.startswith("I do not know")


def test_the_call_log_shows_the_request(anthropic: Anthropic, model_url: str) -> None:
    mine = uuid4().hex
    message = anthropic.messages.create(
        model="some-model", max_tokens=50, messages=[{"role": "user", "content": f"Hello {mine}"}]
    )

    (call,) = httpx2.get(f"{model_url}/_calls", params={"match": mine}).json()["calls"]

    assert (call["method"], call["path"], call["model"]) == ("POST", "/v1/messages", "some-model")
    assert (call["input_tokens"], call["output_tokens"]) == (
        message.usage.input_tokens,
        message.usage.output_tokens,
    )
    assert call["body"]["messages"] == [{"role": "user", "content": f"Hello {mine}"}]
    assert call["fault"] == "none"


def test_an_invalid_script_is_refused(model_url: str) -> None:
    assert httpx2.post(f"{model_url}/_script", json={"answers": [{"txt": "typo"}]}).status_code == 400


def test_the_health_route_answers(model_url: str) -> None:
    assert httpx2.get(f"{model_url}/health").json() == {"status": "ok"}
