"""Words that stand nowhere else, planted through every door that keeps a user's data."""

import json
from datetime import timedelta

from functions.archive.compaction import Compaction
from membus.conversations.cache_records import CachedWindow
from membus.conversations.summary import Chapter, SummaryCheckpoint, SummaryIndex
from membus.core.identity import Owner
from membus.facts.candidates import EventAnswer, ReviewRequest, review_item_for
from membus.search.model import Document, document_id
from membus.states.model import AgentSession
from tests.factories import (
    NOON,
    a_candidate,
    a_conversation,
    a_summary,
    a_turn,
    an_event,
    an_observation,
    learn,
    recorded,
)
from tests.support.erasure import ErasureSetup

LARGE = "x" * 40_000
ASKED = {"prompt_version": "1", "model": "small"}


def canary_of(owner: Owner) -> str:
    return f"canary-{owner.tenant}-{owner.user}"


def plant(house: ErasureSetup, owner: Owner) -> None:
    """Leave a user's canary in every store.

    Hot and cold episodes, merged ones, large texts, facts, talks, queues.
    """
    archived(house, owner)
    known(house, owner)
    for number, agent in enumerate(("guide", "guide", "other")):
        happened(house, owner, f"hot{number}", agent=agent, large=number == 1, days=10)
    written(house, owner)
    talked(house, owner)
    event = an_event("dead", owner=owner, payload=said(owner))
    body = {"time": NOON.isoformat(), "detail": event.model_dump(mode="json", by_alias=True)}
    house.sqs.send_message(QueueUrl=house.dead_letters, MessageBody=json.dumps(body))


def said(owner: Owner, *, large: bool = False) -> dict[str, str]:
    return {"text": f"I like {canary_of(owner)}. {LARGE if large else ''}"}


def happened(
    house: ErasureSetup, owner: Owner, name: str, *, agent: str = "guide", large: bool = False, days: int = 0
) -> None:
    event = an_event(
        f"{owner.tenant}-{owner.user}-{name}",
        owner=owner,
        agent_id=agent,
        session_id=f"{owner.user}-session",
        occurred_at=NOON + timedelta(days=days, seconds=len(name)),
        payload=said(owner, large=large),
    )
    house.tiers.episodes.record_event(recorded(event), extracted=None)
    answer = EventAnswer(by="small", candidates=(a_candidate(value=canary_of(owner)),))
    house.answers.save_answers(owner, {event.event_id: [answer]}, **ASKED)


def archived(house: ErasureSetup, owner: Owner) -> None:
    """Archive two days in two objects each, merge one agent's, and let the hot copies go."""
    for day in (-3, -2):
        for number in range(2):
            happened(house, owner, f"cold{day}{number}", agent=f"agent{number}", large=number == 1, days=day)
    now = house.tiers.now
    house.tiers.archive()
    house.tiers.now += timedelta(days=60)
    Compaction(house.tiers.archiver).compact_tenant(owner.tenant)
    house.tiers.now = now
    for item in house.tiers.items():
        if "expires_at" in item:
            house.memory.delete_item(Key={"pk": item["pk"], "sk": item["sk"]})


def known(house: ErasureSetup, owner: Owner) -> None:
    learn(
        house.facts, owner, an_observation(canary_of(owner)), an_observation("tea", key=f"likes.{owner.user}")
    )
    house.held_facts.add_items(
        owner, [review_item_for(ReviewRequest(reason="url", observation=an_observation(canary_of(owner))))]
    )
    signal = {"pk": f"T#{owner.tenant}#U#{owner.user}", "sk": "SIGNAL#path#0", "mark": canary_of(owner)}
    house.memory.put_item(Item=signal)
    for text in (f"The {canary_of(owner)} is allergic to nuts.", f"{canary_of(owner)} has two cats. {LARGE}"):
        document = Document(
            memory_id=document_id(owner.user, None, text, again=0),
            tenant_id=owner.tenant,
            user_id=owner.user,
            text=text,
            created_at=NOON,
            updated_at=NOON,
        )
        house.documents.put(document)


def written(house: ErasureSetup, owner: Owner) -> None:
    """Write the state of the user's session thrice, so that two large texts are versions nobody points to.

    Of another session nothing tells but the state itself.
    """
    session = AgentSession(tenant=owner.tenant, agent="guide", session_id=f"{owner.user}-session")
    for number in range(3):
        data = {"note": f"{canary_of(owner)} {number} {LARGE}"}
        house.states.put_state(
            session, data, expires_at=house.clock() + timedelta(days=30), expected_version=None
        )
    alone, note = session.model_copy(update={"session_id": f"{owner.user}-alone"}), {"note": canary_of(owner)}
    until = house.clock() + timedelta(days=30)
    house.states.put_state(alone, note, expires_at=until, expected_version=None, user=owner.user)


def talked(house: ErasureSetup, owner: Owner) -> None:
    """Let the user talk in a conversation of their own, with a summary and a window in the hot tier."""
    mine = a_conversation(f"{owner.user}s", tenant_id=owner.tenant, user_id=owner.user)
    house.conversations.create_conversation(mine, request_key=mine.conversation_id)
    speak(house, owner, mine.conversation_id, 1)
    sum_up(house, owner, mine.conversation_id, canary_of(owner))
    house.hot.put(
        CachedWindow(
            tenant_id=owner.tenant,
            conversation_id=mine.conversation_id,
            stored=2,
            limit=80,
            messages=tuple(
                house.conversations.list_recent_messages(owner.tenant, mine.conversation_id, limit=10)
            ),
        )
    )


def speak(house: ErasureSetup, owner: Owner, conversation_id: str, number: int, *, tokens: int = 2) -> None:
    turn = a_turn(number, content=f"Tell {canary_of(owner)} about it.")
    user = turn.user.model_copy(update={"author": owner.user, "tokens": tokens})
    assistant = turn.assistant.model_copy(update={"content": f"Gladly, {canary_of(owner)}."})
    spoken = turn.model_copy(update={"user": user, "assistant": assistant})
    title = f"Tell {canary_of(owner)} about it."
    house.conversations.add_turn(
        owner.tenant, conversation_id, spoken, request_key=f"{conversation_id}-{number}", title=title
    )


def sum_up(house: ErasureSetup, owner: Owner, conversation_id: str, words: str) -> None:
    read = house.summaries.get_index(owner.tenant, conversation_id)
    until = house.conversations.list_recent_messages(owner.tenant, conversation_id, limit=1)[0].message_id
    summary = a_summary(f"They spoke of {words}.", version=read.last_checkpoint.version + 1)
    chapter = Chapter.model_validate(summary.model_dump(include=set(Chapter.model_fields)))
    border = SummaryCheckpoint(version=summary.version, until=until, tokens=1, messages=2)
    outline = SummaryIndex(borders=(*read.borders, border), chapters=(chapter,), slots=summary.slots)
    house.summaries.save_index(owner.tenant, conversation_id, outline, read=read, summaries=[summary])
