"""What a conversation is about right now.

A fold over its messages, so any store of it can be rebuilt from them.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime

from membus.domain.conversation import Message
from membus.domain.entity_types import TEXT_MAX, Found, entities_in
from membus.domain.identity import Record
from membus.domain.search.terms import stems

TIMEOUT = timedelta(minutes=30)
"""Unmentioned for that long, a thing is no longer what «it» means.

As long as the hot tier keeps a conversation.
"""
DRIFT = 3
"""Messages of the user in a row that have nothing to do with what went before make a new topic."""
TOPIC_MESSAGES = 8
"""A topic's words are those of its last messages: a long one must not come to hold every word there is."""
WORDS_MIN = 3
"""With fewer words of its own («yes please», «and tomorrow?») a message goes on with the topic it stands in."""
WORDS_MAX = 100
"""Of one message: enough to recognise its topic, and a bound for what the hot tier holds."""
ENTITIES_MAX, ENDED_MAX = 20, 10
MESSAGES_MAX = 20
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


class Ended(Record):
    """An entity that is no longer active, why, and the message that ended it (None: time did)."""

    entity: Entity
    why: Ending
    by: str | None = None


class ActiveEntities(Record):
    """`topic` holds the words of the topic's last messages, `drifted` those of the user that have left it so far."""

    entities: tuple[Entity, ...] = ()
    ended: tuple[Ended, ...] = ()
    last_message: str | None = None
    topic: tuple[Words, ...] = ()
    drifted: tuple[tuple[str, Words], ...] = ()

    def after(self, message: Message) -> "ActiveEntities":
        """Return what is active once `message` is said; a message that is not newer changes nothing."""
        if self.last_message is not None and message.message_id <= self.last_message:
            return self
        found, words = entities_in(message.content), _words(message.content)
        active = self.at(message.created_at)
        if message.role == "user":
            active = _heard(active, message, words, found)
        elif not active.drifted:  # an answer to a message that leaves the topic belongs to neither yet
            active = _told(active, words)
        return _mentioning(active, message, found).model_copy(update={"last_message": message.message_id})

    def at(self, now: datetime) -> "ActiveEntities":
        """Return what is still active at `now`."""
        return _without(
            self, [each for each in self.entities if each.mentioned_at + TIMEOUT < now], "timeout"
        )

    @property
    def block(self) -> str:
        """The entities for a prompt, fenced and labelled as data; empty where there is none."""
        lines = [f"- {each.type}: {each.value} (said by the {each.said_by})" for each in self.entities]
        return "\n".join(("<active_entities>", *lines, "</active_entities>")) if lines else ""


class Folded(Record):
    """What a conversation was about behind its newest messages, and which those are.

    A fold takes tens of milliseconds where messages are long: it need not be made twice.
    """

    of: tuple[str, ...]
    active: ActiveEntities

    @classmethod
    def over(cls, messages: Sequence[Message]) -> "Folded":
        newest = messages[-MESSAGES_MAX:]
        active = ActiveEntities()
        for message in sorted(newest, key=lambda message: message.message_id):
            active = active.after(message)
        return cls(of=tuple(message.message_id for message in newest), active=active)

    def is_over(self, messages: Sequence[Message]) -> bool:
        return self.of == tuple(message.message_id for message in messages[-MESSAGES_MAX:])


def entities_after(messages: Iterable[Message], now: datetime) -> ActiveEntities:
    """Return what a conversation is about at `now`, whatever order its messages are given in."""
    active = ActiveEntities()
    for message in sorted(messages, key=lambda message: message.message_id):
        active = active.after(message)
    return active.at(now)


def _heard(active: ActiveEntities, message: Message, words: Words, found: list[Found]) -> ActiveEntities:
    """Follow the user to another topic.

    At once where they say so, else after three messages without a link.
    """
    if _TURNS_AWAY.match(message.content):
        return _left(active, message, found, since=message.message_id, topic=(words,))
    if not active.topic or _linked(active, message.content, words, found):
        return _told(active, words)
    drifted = (*active.drifted, (message.message_id, words))
    if len(drifted) < DRIFT:
        return active.model_copy(update={"drifted": drifted})
    return _left(active, message, found, since=drifted[0][0], topic=tuple(said for _, said in drifted))


def _linked(active: ActiveEntities, text: str, words: Words, found: list[Found]) -> bool:
    """Whether a message goes on with the topic.

    Once the user drifts, «it» and «yes please» mean the new one.
    """
    known = {(each.type, each.value) for each in active.entities}
    if any(set(words) & set(told) for told in active.topic) or any(
        (each.type, each.value) in known for each in found
    ):
        return True
    return not active.drifted and (len(words) < WORDS_MIN or _POINTS_BACK.search(text) is not None)


def _told(active: ActiveEntities, words: Words) -> ActiveEntities:
    told = (*active.topic, *(said for _, said in active.drifted), words)
    return active.model_copy(update={"topic": told[-TOPIC_MESSAGES:], "drifted": ()})


def _left(
    active: ActiveEntities, message: Message, found: list[Found], *, since: str, topic: tuple[Words, ...]
) -> ActiveEntities:
    """Drop what was brought up before `since`, unless the message that leaves its topic takes it along."""
    taken_along = {(each.type, each.value) for each in found}
    old = [
        each for each in active.entities if each.first < since and (each.type, each.value) not in taken_along
    ]
    return _without(active, old, "topic", message.message_id).model_copy(
        update={"topic": topic, "drifted": ()}
    )


def _mentioning(active: ActiveEntities, message: Message, found: list[Found]) -> ActiveEntities:
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
        (each.type, each.value): _mentioned(known.get((each.type, each.value)), each, message)
        for each in found
    }
    kept = _without(active, replaced, "replaced", message.message_id)
    stay = [each for each in kept.entities if (each.type, each.value) not in mentioned]
    return kept.model_copy(update={"entities": (*stay, *mentioned.values())[-ENTITIES_MAX:]})


def _without(
    active: ActiveEntities, gone: Sequence[Entity], why: Ending, by: str | None = None
) -> ActiveEntities:
    if not gone:
        return active
    ended = (*active.ended, *(Ended(entity=each, why=why, by=by) for each in gone))
    kept = tuple(each for each in active.entities if each not in gone)
    return active.model_copy(update={"entities": kept, "ended": ended[-ENDED_MAX:]})


def _words(text: str) -> Words:
    return tuple(sorted(set(stems(text[:TEXT_MAX])[:WORDS_MAX])))


def _mentioned(known: Entity | None, found: Found, message: Message) -> Entity:
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
