"""What a conversation is about right now: a fold over its messages, which can be made again from them."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime

from membus.conversations.conversation import Message
from membus.conversations.entity_types import TEXT_MAX, EntityMatch, find_entities
from membus.core.identity import Record
from membus.core.text.terms import stem_words

ENTITY_TIMEOUT = timedelta(minutes=30)
"""Unmentioned for so long, a thing is no longer what «it» means; the cache keeps a conversation as long."""
DRIFT_MESSAGES = 3
"""Messages of the user in a row that have nothing to do with what went before make a new topic."""
TOPIC_MESSAGES = 8
"""A topic's words are those of its last messages: a long one must not come to hold every word there is."""
TOPIC_WORDS_MIN = 3
"""With fewer words of its own («yes please», «and tomorrow?») a message goes on with its topic."""
TOPIC_WORDS_MAX = 100
"""Of one message: enough to recognise its topic, and a bound for what the cache holds."""
ENTITIES_MAX, ENDED_MAX = 20, 10
ENTITY_MESSAGES_MAX = 20
"""A prompt's entities are those of the last ten turns: the work of a turn has to have a bound."""
Words = tuple[str, ...]
Ending = Literal["replaced", "topic", "timeout"]

_TURNS_AWAY = re.compile(
    r"^\W*(?:(?:ok(?:ay)?|great|thanks|thank you|alright|anyway|so|now|and|well)\W+){0,3}"
    r"(?:by the way|btw|on another (?:note|topic|matter)|(?:a |one )?(?:different|new|another|unrelated) "
    r"(?:question|topic|subject|thing|matter)|(?:let'?s )?(?:change (?:of )?(?:the )?(?:topic|subject)|"
    r"(?:switch|move on)(?: to)?\b|talk about something else)|something (?:else|completely different)"
    r"|forget (?:it|that)|übrigens|anderes thema|themawechsel|(?:eine )?andere frage)\b",
    re.IGNORECASE,
)
_POINTS_BACK = re.compile(
    r"\b(?:it|its|that|this|these|those|they|them|their|he|she|him|her|his|there|the same|again|still|"
    r"instead|one|ones|other|another|else|too|also|first|second|last|es|das|diese[rsmn]?|davon|damit|noch)\b",
    re.IGNORECASE,
)


class Entity(Record):
    """A thing that was mentioned: by whom and in which message first, and when last."""

    type: str
    value: str
    said_by: Literal["user", "assistant"]
    first: str
    mentioned_at: AwareDatetime

    @property
    def identity(self) -> tuple[str, str]:
        return self.type, self.value

    @classmethod
    def from_match(cls, found: EntityMatch, message: Message) -> "Entity":
        return cls(
            type=found.type,
            value=found.value,
            said_by=message.role,
            first=message.message_id,
            mentioned_at=message.created_at,
        )


class EndedEntity(Record):
    """An entity that is no longer active, why, and the message that ended it (None: time did)."""

    entity: Entity
    why: Ending
    by: str | None = None


class ActiveEntities(Record):
    """The entities that are active behind `last_message`, the newest mention last.

    `topic` holds the words of the topic's last messages, `drifted` the user's messages that have left it.
    """

    entities: tuple[Entity, ...] = ()
    ended: tuple[EndedEntity, ...] = ()
    last_message: str | None = None
    topic: tuple[Words, ...] = ()
    drifted: tuple[tuple[str, Words], ...] = ()

    def with_message(self, message: Message) -> "ActiveEntities":
        """Return what is active once `message` is said; a message that is not newer changes nothing."""
        if self.last_message is not None and message.message_id <= self.last_message:
            return self
        found, words = find_entities(message.content), _topic_words(message.content)
        active = self.active_at(message.created_at)
        if message.role == "user":
            active = _follow_user(active, message, words, found)
        elif not active.drifted:  # an answer to a message that leaves the topic belongs to neither yet
            active = _continue_topic(active, words)
        return _add_mentions(active, message, found).model_copy(update={"last_message": message.message_id})

    def active_at(self, now: datetime) -> "ActiveEntities":
        over = [each for each in self.entities if each.mentioned_at + ENTITY_TIMEOUT < now]
        return _end_entities(self, over, "timeout")

    @property
    def prompt_block(self) -> str:
        """The entities for a prompt, fenced and labelled as data; empty where there is none."""
        lines = [f"- {each.type}: {each.value} (said by the {each.said_by})" for each in self.entities]
        return "\n".join(("<active_entities>", *lines, "</active_entities>")) if lines else ""


class EntitySnapshot(Record):
    """What a conversation was about behind its newest messages, and which those are.

    A fold takes tens of milliseconds where messages are long: the cache keeps it for the next turn.
    """

    of: tuple[str, ...]
    active: ActiveEntities

    @classmethod
    def from_messages(cls, messages: Sequence[Message]) -> "EntitySnapshot":
        newest = messages[-ENTITY_MESSAGES_MAX:]
        return cls(of=tuple(message.message_id for message in newest), active=_fold(newest))

    def matches_messages(self, messages: Sequence[Message]) -> bool:
        return self.of == tuple(message.message_id for message in messages[-ENTITY_MESSAGES_MAX:])


def fold_entities(messages: Iterable[Message], now: datetime) -> ActiveEntities:
    """Return what a conversation is about at `now`, whatever order its messages are given in."""
    return _fold(messages).active_at(now)


def _fold(messages: Iterable[Message]) -> ActiveEntities:
    active = ActiveEntities()
    for message in sorted(messages, key=lambda message: message.message_id):
        active = active.with_message(message)
    return active


def _topic_words(text: str) -> Words:
    return tuple(sorted(set(stem_words(text[:TEXT_MAX])[:TOPIC_WORDS_MAX])))


def _follow_user(
    active: ActiveEntities, message: Message, words: Words, found: list[EntityMatch]
) -> ActiveEntities:
    """Follow the user to another topic: at once if they say so, else after three messages without a link."""
    if _TURNS_AWAY.match(message.content):
        return _start_topic(active, message, found, since=message.message_id, topic=(words,))
    if not active.topic or _continues_topic(active, message.content, words, found):
        return _continue_topic(active, words)
    drifted = (*active.drifted, (message.message_id, words))
    if len(drifted) < DRIFT_MESSAGES:
        return active.model_copy(update={"drifted": drifted})
    return _start_topic(active, message, found, since=drifted[0][0], topic=tuple(said for _, said in drifted))


def _continues_topic(active: ActiveEntities, text: str, words: Words, found: list[EntityMatch]) -> bool:
    """Whether a message goes on with the topic; once the user drifts, «it» means the new one."""
    known = {each.identity for each in active.entities}
    if any(set(words) & set(earlier) for earlier in active.topic) or any(
        each.identity in known for each in found
    ):
        return True
    return not active.drifted and (len(words) < TOPIC_WORDS_MIN or _POINTS_BACK.search(text) is not None)


def _continue_topic(active: ActiveEntities, words: Words) -> ActiveEntities:
    topic = (*active.topic, *(said for _, said in active.drifted), words)
    return active.model_copy(update={"topic": topic[-TOPIC_MESSAGES:], "drifted": ()})


def _start_topic(
    active: ActiveEntities,
    message: Message,
    found: list[EntityMatch],
    *,
    since: str,
    topic: tuple[Words, ...],
) -> ActiveEntities:
    """Drop what was brought up before `since`, unless the message that leaves its topic takes it along."""
    kept = {each.identity for each in found}
    old = [each for each in active.entities if each.first < since and each.identity not in kept]
    ended = _end_entities(active, old, "topic", message.message_id)
    return ended.model_copy(update={"topic": topic, "drifted": ()})


def _add_mentions(active: ActiveEntities, message: Message, found: list[EntityMatch]) -> ActiveEntities:
    """Add what was found: a new entity replaces others of its type, the user's only if the user says it."""
    known = {each.identity: each for each in active.entities}
    said = {each.identity for each in found}
    new_types = {each.type for each in found if each.identity not in known}
    replaced = [
        each
        for each in active.entities
        if each.type in new_types
        and each.identity not in said
        and (message.role == "user" or each.said_by == "assistant")
    ]
    update = {"mentioned_at": message.created_at} | ({"said_by": "user"} if message.role == "user" else {})
    mentioned = [
        known[each.identity].model_copy(update=update)
        if each.identity in known
        else Entity.from_match(each, message)
        for each in found
    ]
    kept = _end_entities(active, replaced, "replaced", message.message_id)
    others = [each for each in kept.entities if each.identity not in said]
    return kept.model_copy(update={"entities": (*others, *mentioned)[-ENTITIES_MAX:]})


def _end_entities(
    active: ActiveEntities, gone: Sequence[Entity], why: Ending, by: str | None = None
) -> ActiveEntities:
    if not gone:
        return active
    ended = (*active.ended, *(EndedEntity(entity=each, why=why, by=by) for each in gone))
    kept = tuple(each for each in active.entities if each not in gone)
    return active.model_copy(update={"entities": kept, "ended": ended[-ENDED_MAX:]})
