"""What a conversation is about right now.

A fold over its messages, so any store of it can be rebuilt from them.
"""

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
"""Unmentioned for that long, a thing is no longer what «it» means.

As long as the hot tier keeps a conversation.
"""
DRIFT_MESSAGES = 3
"""Messages of the user in a row that have nothing to do with what went before make a new topic."""
TOPIC_MESSAGES = 8
"""A topic's words are those of its last messages: a long one must not come to hold every word there is."""
TOPIC_WORDS_MIN = 3
"""With fewer words of its own («yes please», «and tomorrow?») a message goes on with the topic it stands in."""
TOPIC_WORDS_MAX = 100
"""Of one message: enough to recognise its topic, and a bound for what the hot tier holds."""
ENTITIES_MAX, ENDED_MAX = 20, 10
ENTITY_MESSAGES_MAX = 20
"""What a conversation is about right now stands in its last ten turns.

The work of a turn has to have a bound.
"""
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
    r"\b(?:it|its|that|this|these|those|they|them|their|he|she|him|her|his|there|the same|again|still|instead|"
    r"one|ones|other|another|else|too|also|first|second|last|es|das|diese[rsmn]?|davon|damit|noch)\b",
    re.IGNORECASE,
)


class Entity(Record):
    """`said_by` and `first` tell who brought it up and in which message; `mentioned_at` is the last time."""

    type: str
    value: str
    said_by: Literal["user", "assistant"]
    first: str
    mentioned_at: AwareDatetime


class EndedEntity(Record):
    """An entity that is no longer active, why, and the message that ended it (None: time did)."""

    entity: Entity
    why: Ending
    by: str | None = None


class ActiveEntities(Record):
    """`topic` holds the words of the topic's last messages, `drifted` those of the user that have left it so far."""

    entities: tuple[Entity, ...] = ()
    ended: tuple[EndedEntity, ...] = ()
    last_message: str | None = None
    topic: tuple[Words, ...] = ()
    drifted: tuple[tuple[str, Words], ...] = ()

    def with_message(self, message: Message) -> "ActiveEntities":
        """Return what is active once `message` is said; a message that is not newer changes nothing."""
        if self.last_message is not None and message.message_id <= self.last_message:
            return self
        found, words = find_entities(message.content), _words(message.content)
        active = self.active_at(message.created_at)
        if message.role == "user":
            active = _follow_user(active, message, words, found)
        elif not active.drifted:  # an answer to a message that leaves the topic belongs to neither yet
            active = _continue_topic(active, words)
        return _add_mentions(active, message, found).model_copy(update={"last_message": message.message_id})

    def active_at(self, now: datetime) -> "ActiveEntities":
        """Return what is still active at `now`."""
        return _end_entities(
            self, [each for each in self.entities if each.mentioned_at + ENTITY_TIMEOUT < now], "timeout"
        )

    @property
    def prompt_block(self) -> str:
        """The entities for a prompt, fenced and labelled as data; empty where there is none."""
        lines = [f"- {each.type}: {each.value} (said by the {each.said_by})" for each in self.entities]
        return "\n".join(("<active_entities>", *lines, "</active_entities>")) if lines else ""


class EntitySnapshot(Record):
    """What a conversation was about behind its newest messages, and which those are.

    A fold takes tens of milliseconds where messages are long: it need not be made twice.
    """

    of: tuple[str, ...]
    active: ActiveEntities

    @classmethod
    def from_messages(cls, messages: Sequence[Message]) -> "EntitySnapshot":
        newest = messages[-ENTITY_MESSAGES_MAX:]
        active = ActiveEntities()
        for message in sorted(newest, key=lambda message: message.message_id):
            active = active.with_message(message)
        return cls(of=tuple(message.message_id for message in newest), active=active)

    def matches_messages(self, messages: Sequence[Message]) -> bool:
        return self.of == tuple(message.message_id for message in messages[-ENTITY_MESSAGES_MAX:])


def fold_entities(messages: Iterable[Message], now: datetime) -> ActiveEntities:
    """Return what a conversation is about at `now`, whatever order its messages are given in."""
    active = ActiveEntities()
    for message in sorted(messages, key=lambda message: message.message_id):
        active = active.with_message(message)
    return active.active_at(now)


def _follow_user(
    active: ActiveEntities, message: Message, words: Words, found: list[EntityMatch]
) -> ActiveEntities:
    """Follow the user to another topic.

    At once where they say so, else after three messages without a link.
    """
    if _TURNS_AWAY.match(message.content):
        return _start_topic(active, message, found, since=message.message_id, topic=(words,))
    if not active.topic or _continues_topic(active, message.content, words, found):
        return _continue_topic(active, words)
    drifted = (*active.drifted, (message.message_id, words))
    if len(drifted) < DRIFT_MESSAGES:
        return active.model_copy(update={"drifted": drifted})
    return _start_topic(active, message, found, since=drifted[0][0], topic=tuple(said for _, said in drifted))


def _continues_topic(active: ActiveEntities, text: str, words: Words, found: list[EntityMatch]) -> bool:
    """Whether a message goes on with the topic.

    Once the user drifts, «it» and «yes please» mean the new one.
    """
    known = {(each.type, each.value) for each in active.entities}
    if any(set(words) & set(told) for told in active.topic) or any(
        (each.type, each.value) in known for each in found
    ):
        return True
    return not active.drifted and (len(words) < TOPIC_WORDS_MIN or _POINTS_BACK.search(text) is not None)


def _continue_topic(active: ActiveEntities, words: Words) -> ActiveEntities:
    told = (*active.topic, *(said for _, said in active.drifted), words)
    return active.model_copy(update={"topic": told[-TOPIC_MESSAGES:], "drifted": ()})


def _start_topic(
    active: ActiveEntities,
    message: Message,
    found: list[EntityMatch],
    *,
    since: str,
    topic: tuple[Words, ...],
) -> ActiveEntities:
    """Drop what was brought up before `since`, unless the message that leaves its topic takes it along."""
    taken_along = {(each.type, each.value) for each in found}
    old = [
        each for each in active.entities if each.first < since and (each.type, each.value) not in taken_along
    ]
    return _end_entities(active, old, "topic", message.message_id).model_copy(
        update={"topic": topic, "drifted": ()}
    )


def _add_mentions(active: ActiveEntities, message: Message, found: list[EntityMatch]) -> ActiveEntities:
    """Add what was found.

    A new one takes the place of the same type, but what the user said only of the user.
    """
    known = {(each.type, each.value): each for each in active.entities}
    new = {each.type for each in found if (each.type, each.value) not in known}
    said = {(each.type, each.value) for each in found}
    replaced = [
        each
        for key, each in known.items()
        if each.type in new and key not in said and (message.role == "user" or each.said_by == "assistant")
    ]
    mentioned = {
        (each.type, each.value): _update_mention(known.get((each.type, each.value)), each, message)
        for each in found
    }
    kept = _end_entities(active, replaced, "replaced", message.message_id)
    stay = [each for each in kept.entities if (each.type, each.value) not in mentioned]
    return kept.model_copy(update={"entities": (*stay, *mentioned.values())[-ENTITIES_MAX:]})


def _end_entities(
    active: ActiveEntities, gone: Sequence[Entity], why: Ending, by: str | None = None
) -> ActiveEntities:
    if not gone:
        return active
    ended = (*active.ended, *(EndedEntity(entity=each, why=why, by=by) for each in gone))
    kept = tuple(each for each in active.entities if each not in gone)
    return active.model_copy(update={"entities": kept, "ended": ended[-ENDED_MAX:]})


def _words(text: str) -> Words:
    return tuple(sorted(set(stem_words(text[:TEXT_MAX])[:TOPIC_WORDS_MAX])))


def _update_mention(known: Entity | None, found: EntityMatch, message: Message) -> Entity:
    if known is None:
        return Entity(
            type=found.type,
            value=found.value,
            said_by=message.role,
            first=message.message_id,
            mentioned_at=message.created_at,
        )
    update = {"mentioned_at": message.created_at} | ({"said_by": "user"} if message.role == "user" else {})
    return known.model_copy(update=update)
