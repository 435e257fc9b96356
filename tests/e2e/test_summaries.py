"""A long conversation through the public door.

Summed up behind its back, recalled, and explained byte for byte.
"""

import pytest

from tests.e2e.client import Client, eventually, said, somebody
from tests.e2e.test_chat import conversation

pytestmark = pytest.mark.stack


def say(client: Client, talk: str, user: str, content: str) -> str:
    answer = client.post(f"/v1/conversations/{talk}/messages", {"content": content, "author": user})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["message"]["message_id"])


def test_summary_of_twenty_turns_keeps_every_slot(acme: Client) -> None:
    user = somebody()
    talk = conversation(acme, user)
    for number in range(20):
        say(acme, talk, user, f"I decided to pay ${number + 100} to Amy Nutt on March {number + 1}, 2026.")

    summary = eventually(
        lambda: acme.get(f"/v1/conversations/{talk}/summary").json(), lambda shown: shown["version"] == 1
    )

    assert summary["messages"] == 38
    (item,) = summary["items"]
    assert (item["level"], item["verification"]["slots"]) == (0, len(item["slots"]))
    assert item["slots"]
    assert all(slot["text"] in item["text"] for slot in item["slots"])
    assert {slot["text"] for slots in summary["slots"].values() for slot in slots} == {
        slot["text"] for slot in item["slots"]
    }


def test_message_of_another_conversation_is_recalled_and_the_prompt_remade(acme: Client) -> None:
    user = somebody()
    acme.send(said(user, "My grandmother keeps her spare piano key under the blue flower pot."))
    talk = conversation(acme, user)
    question = "Where is the spare piano key of my grandmother?"

    context = eventually(
        lambda: acme.get(f"/v1/conversations/{talk}/context", message=question).json(),
        lambda shown: shown["recalled"],
    )
    reply = say(acme, talk, user, question)
    again = acme.get(f"/v1/conversations/{talk}/messages/{reply}/context").json()

    assert "blue flower pot" in context["prompt"]["messages"][-1]["text"]
    assert (again["identical"], again["missing"]) == (True, [])
    assert again["provenance"]["need"] == {"search": True, "reason": "asks"}
