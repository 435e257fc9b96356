"""Requests of chat to the API's function: passages, texts and episodes; the gateway cannot imitate them."""

import io
import json
from datetime import timedelta
from typing import Any

import pytest

from functions.api import handler as memory
from membus.conversations.recall import RecalledPassage
from membus.episodes.model import EpisodeQuery
from membus.search.lambda_ import LambdaEpisodes
from membus.search.memory_projection import project_event
from membus.search.model import Memory
from membus.search.retrieval import index_entry
from tests.factories import NOON, recorded, said
from tests.support.api_client import ApiTestClient, LambdaInvocation


def inside(api: ApiTestClient, event: dict[str, Any]) -> Any:
    context: Any = LambdaInvocation()
    return memory.handler(event, context, api.container())


class InProcessLambda:
    """Invokes memory in this process, over the JSON that Lambda would carry."""

    def __init__(self, api: ApiTestClient) -> None:
        self._api = api

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 (Lambda's names)
        return {"Payload": io.BytesIO(json.dumps(inside(self._api, json.loads(Payload))).encode())}


@pytest.fixture
def known(door: ApiTestClient) -> ApiTestClient:
    """Ada has said where she keeps her keys; so has somebody of another tenant."""
    for tenant, place in (("acme", "in the blue bowl"), ("zeta", "under the mat")):
        event = said(f"I keep my spare keys {place}.").model_copy(update={"tenant_id": tenant})
        door.memories.put(tenant, [index_entry(each) for each in project_event(event)])
    return door


def test_recall_returns_passages_of_the_user(known: ApiTestClient) -> None:
    asked = {
        "tenant": "acme",
        "user": "ada",
        "agent": "default",
        "message": "Where are my spare keys?",
        "limit": 5,
    }

    (passage,) = map(RecalledPassage.model_validate, inside(known, {"recall": asked}))

    assert passage.text == "I keep my spare keys in the blue bowl."
    assert (passage.memory_id, passage.source.event_id) == ("event:ada/e1", "e1")
    assert inside(known, {"recall": asked | {"user": "eve"}}) == []


def test_passages_are_those_of_the_tenant_that_still_exist(known: ApiTestClient) -> None:
    wanted = {"tenant": "acme", "memory_ids": ["event:ada/e1", "event:ada/gone"]}

    assert inside(known, {"passages": wanted}) == {"event:ada/e1": ["I keep my spare keys in the blue bowl."]}


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_internal_episodes_are_those_that_the_api_reads(known: ApiTestClient, limit: int) -> None:
    for number in range(3):
        event = said(
            "ü " * number, f"e{number}", agent_id="guide", occurred_at=NOON + timedelta(minutes=number)
        )
        known.episodes.record_event(recorded(event), extracted=None)
    client: Any = InProcessLambda(known)
    wanted = EpisodeQuery(
        tenant="acme", agent="guide", user_id="ada", start=NOON, end=NOON + timedelta(days=1)
    )

    page = LambdaEpisodes(client, "memory").list_episodes(wanted, limit=limit, after=None)

    assert page == known.episodes.list_episodes(wanted, limit=limit, after=None)
    if page.after:
        rest = LambdaEpisodes(client, "memory").list_episodes(wanted, limit=5, after=page.after)
        assert [each.event.event_id for each in (*page.items, *rest.items)] == ["e0", "e1", "e2"]


def test_gateway_request_is_never_an_internal_request(known: ApiTestClient) -> None:
    answer = known.post(
        "/v1/search",
        {"recall": {"tenant": "zeta", "user": "ada", "agent": "default", "message": "keys", "limit": 5}},
    )

    assert answer.status == 422


def test_recall_keeps_agents_apart_and_shares_what_belongs_to_nobody(door: ApiTestClient) -> None:
    """Agent `a` asks for Ada: what `b` keeps or heard is `b`'s, facts and nobody's documents are everybody's."""

    def keep(name: str, kind: Any, user: str | None, agent: str | None) -> None:
        memory = Memory(
            tenant_id="acme",
            memory_id=name,
            kind=kind,
            text=f"{name}: the refund period",
            user_id=user,
            agent_id=agent,
            occurred_at=NOON,
        )
        door.memories.put("acme", [index_entry(memory)])

    for kind in ("document", "episode"):
        for agent in ("a", "b", "default", None):
            keep(f"{kind}-{agent}", kind, "ada", agent)
    keep("fact-b", "fact", "ada", "b")
    for agent in ("a", "b", None):
        keep(f"shared-{agent}", "document", None, agent)
    keep("hers", "document", "eve", None)
    asked = {
        "tenant": "acme",
        "user": "ada",
        "agent": "a",
        "message": "What is the refund period?",
        "limit": 50,
    }

    found = {each["memory_id"] for each in inside(door, {"recall": asked})}

    own = {f"{kind}-{agent}" for kind in ("document", "episode") for agent in ("a", "default", None)}
    assert found == own | {"fact-b", "shared-a", "shared-None"}
