"""Two devices in one conversation, their steps interleaved anyhow.

What was acknowledged is there, and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from membus.conversations.conversation import (
    Conversation,
    ConversationStatus,
    Message,
    MessageIdGenerator,
    Turn,
)
from membus.conversations.dynamodb import DynamoConversations, DynamoDeletedConversationItems
from membus.core.errors import ConflictError, NotFoundError
from tests.factories import a_conversation, a_turn
from tests.fakes.blobs import InMemoryBlobs
from tests.fakes.clock import StoppedClock
from tests.strict import strict_aws
from tests.support.budgets import machine_settings
from tests.support.tables import make_table

PEOPLE = ("ada", "bob", "eve")
PLACE = ("acme", "c")
changes = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from(["Trip", "Dinner"]),
        "status": st.sampled_from(get_args(ConversationStatus)),
        "members": st.lists(st.sampled_from(["bob", "eve"]), unique=True).map(tuple),
    },
)


@dataclass
class Device:
    """A process of its own: its clock is off, its ids are its own, and what it has read may be old by now."""

    clock: StoppedClock
    ids: MessageIdGenerator = field(default_factory=MessageIdGenerator)
    turns: list[tuple[str, Turn]] = field(default_factory=list)
    renames: list[tuple[Conversation, Conversation]] = field(default_factory=list)


class Devices(RuleBasedStateMachine):
    """`known` is the conversation as acknowledged answers say it is (None.

    Deleted), `said` its messages by id.
    """

    @initialize()
    def begin(self) -> None:
        self.aws = strict_aws()
        self.aws.__enter__()
        clock, table = StoppedClock(), make_table("conversations")
        self.store, self.remains = (
            DynamoConversations(table, clock),
            DynamoDeletedConversationItems(table, InMemoryBlobs()),
        )
        self.known: Conversation | None = a_conversation("c", members=("bob",))
        self.store.create_conversation(self.known, request_key="first")
        self.devices = [Device(StoppedClock()), Device(StoppedClock())]
        self.said: dict[str, Message] = {}
        self.requests: set[str] = set()
        self.swept = False

    def teardown(self) -> None:
        if hasattr(self, "aws"):
            self.aws.__exit__(None, None, None)

    @rule(device=st.integers(0, 1), seconds=st.integers(-2, 2))
    def ask(self, device: int, seconds: int) -> None:
        """A device sends a message to the model; the answer takes its time. Clocks drift, and step back."""
        mine = self.devices[device]
        mine.clock.advance(timedelta(seconds=seconds))
        parts = [
            each.model_copy(
                update={"message_id": mine.ids.next_id(mine.clock()), "content": f"{device} {number}"}
            )
            for number, each in enumerate((a_turn().user, a_turn().assistant))
        ]
        turn = a_turn().model_copy(update={"user": parts[0], "assistant": parts[1]})
        mine.turns.append((parts[0].message_id, turn))

    @precondition(lambda self: any(device.turns for device in self.devices))
    @rule(data=st.data(), again=st.booleans())
    def answer(self, data: st.DataObject, again: bool) -> None:  # noqa: FBT001 - hypothesis draws it
        """A turn is stored; its request may come again, whose answer was lost."""
        device = data.draw(st.sampled_from([device for device in self.devices if device.turns]))
        request, turn = device.turns[0] if again else device.turns.pop(0)
        try:
            self.store.add_turn(*PLACE, turn, request_key=request, title=f"About {request}")
        except NotFoundError:
            assert self.known is None
        except ConflictError:
            assert request in self.requests
        else:
            assert self.known is not None
            assert request not in self.requests
            self.requests.add(request)
            self.said |= {message.message_id: message for message in (turn.user, turn.assistant)}
            counted = {"message_count": len(self.said), "title": self.known.title or f"About {request}"}
            self.known = self.known.model_copy(update=counted)

    @precondition(lambda self: self.known is not None)
    @rule(device=st.integers(0, 1), change=changes)
    def read(self, device: int, change: dict[str, object]) -> None:
        """A device reads the conversation and makes up its mind."""
        before = self.store.get_conversation(*PLACE)
        after = before.model_copy(update={**change, "version": before.version + 1})
        self.devices[device].renames.append((before, after))

    @precondition(lambda self: any(device.renames for device in self.devices))
    @rule(data=st.data())
    def write(self, data: st.DataObject) -> None:
        device = data.draw(st.sampled_from([device for device in self.devices if device.renames]))
        before, after = device.renames.pop(0)
        try:
            self.store.update_conversation(before, after)
        except NotFoundError:
            assert self.known is None
        except ConflictError as lost:
            winner = lost.version
            assert self.known is not None
            assert before.version < self.known.version == winner
        else:
            assert self.known is not None
            assert before.version == self.known.version
            kept = {"message_count": self.known.message_count, "title": after.title or self.known.title}
            self.known = after.model_copy(update=kept)

    @precondition(lambda self: len(self.said) > 4)
    @rule()
    def delete(self) -> None:
        self.store.delete_conversation(*PLACE)
        self.known = None

    @rule()
    def sweep(self) -> None:
        more = self.remains.remove_batch(*PLACE)
        self.swept = self.known is None and not more

    @invariant()
    def the_conversation_is_what_was_acknowledged(self) -> None:
        if self.known is None:
            with pytest.raises(NotFoundError):
                self.store.get_conversation(*PLACE)
        else:
            found = self.store.get_conversation(*PLACE)
            # What a prompt is planned by follows the messages, and has tests of its own.
            assert found.model_copy(update={"counters": self.known.counters}) == self.known

    @invariant()
    def every_acknowledged_message_is_there_once_and_in_order(self) -> None:
        found = [message for page in self._pages() for message in page]
        assert found == [] if self.swept else found == [self.said[each] for each in sorted(self.said)]

    @invariant()
    def everybody_finds_it_where_it_belongs(self) -> None:
        listed = {
            (status, user)
            for status in get_args(ConversationStatus)
            for user in (None, *PEOPLE)
            if self.store.list_conversations("acme", status, user=user, limit=5, after=None).items
        }
        people = (None, *self.known.people) if self.known else ()
        assert listed == {(self.known.status, user) for user in people if self.known}

    def _pages(self) -> Sequence[Sequence[Message]]:
        pages = [self.store.list_messages(*PLACE, limit=3, after=None)]
        while after := pages[-1].after:
            pages.append(self.store.list_messages(*PLACE, limit=3, after=after))
        return [page.items for page in pages]


TestDevices = Devices.TestCase
TestDevices.settings = machine_settings(5, nightly=15, steps=20)
