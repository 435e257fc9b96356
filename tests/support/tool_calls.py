"""A conversation of Ada and Bob whose model calls tools, and what became of the calls."""

from typing import Any

from membus.conversations.conversation import Message
from membus.core.identity import Owner
from membus.llm.prompt import ToolCall, ToolResult
from tests.factories import ADA, a_conversation
from tests.fakes.model import ScriptedModel
from tests.support.api_client import ApiTestClient, ApiTestResponse
from tests.support.contexts import a_passage

PATH = "/v1/conversations/c/messages"
BOB = Owner(tenant="acme", user="bob")


def talking(door: ApiTestClient) -> ApiTestClient:
    door.conversations.create_conversation(
        a_conversation("c", members=("bob",), agent_id="guide"), request_key="c"
    )
    door.recollection.passages[ADA] = [a_passage("We met in Porto.")]
    return door


def call(name: str = "search_memory", call_id: str = "1", /, **arguments: Any) -> ToolCall:
    return ToolCall(call_id=call_id, name=name, arguments=arguments)


def say(
    door: ApiTestClient, *lines: Any, content: str = "Hello there", key: str = "k1", **fields: Any
) -> ApiTestResponse:
    door.model = ScriptedModel(*lines)
    return door.post(PATH, {"content": content, "author": "ada", **fields}, key=key)


def reply(door: ApiTestClient) -> Message:
    return door.conversations.list_recent_messages("acme", "c", limit=1)[0]


def result(door: ApiTestClient) -> ToolResult:
    """Return the one result of the newest reply."""
    ((found,),) = [step.results for step in reply(door).steps]
    return found
