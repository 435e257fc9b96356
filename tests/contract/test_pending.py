"""The port PendingReplies: a reply is promised by its id before it is there, one for each request."""

from datetime import timedelta

import pytest

from membus.conversations.conversation import Step
from membus.conversations.dynamodb_replies import DynamoReplyJobs
from membus.conversations.message_reader import MessageReader
from membus.conversations.ports import ConversationStore, DeletedConversationItems, ReplyJobStore
from membus.conversations.reply_jobs import JOB_LIFETIME, ReplyFailure, ReplyJob, StepProgress
from membus.core.errors import NotFoundError, UnavailableError
from membus.core.identity import Owner
from membus.core.tokens import TokenUsage
from membus.llm.prompt import ToolCall, ToolResult
from tests.contract.conftest import Talks
from tests.factories import a_conversation, a_turn
from tests.fakes.clock import StoppedClock
from tests.fakes.conversations import InMemoryConversations
from tests.fakes.reply_jobs import InMemoryReplyJobs

STEP = Step(
    calls=(ToolCall(call_id="1", name="search_memory", arguments={"query": "☂"}),),
    results=(ToolResult(call_id="1", content="<result>\n- rain\n</result>"),),
)
PROGRESS = StepProgress(request="what was asked", steps=(STEP,), usage=TokenUsage(input=10, output=2))
MORE = PROGRESS.model_copy(update={"steps": (STEP, STEP), "whole": "results/acme/one/m1-1"})


@pytest.fixture
def pending(talks: Talks, clock: StoppedClock) -> ReplyJobStore:
    """Return the reply jobs in the table of `conversations`."""
    if talks.table:
        return DynamoReplyJobs(talks.table, clock)
    assert isinstance(talks.conversations, InMemoryConversations)
    return InMemoryReplyJobs(talks.conversations, clock)


@pytest.fixture
def tenant(owner: Owner, conversations: ConversationStore) -> str:
    for name in ("one", "two"):
        conversations.create_conversation(
            a_conversation(name, tenant_id=owner.tenant), request_key=f"{owner.tenant}-{name}"
        )
    return owner.tenant


@pytest.fixture
def replies(conversations: ConversationStore, pending: ReplyJobStore, clock: StoppedClock) -> MessageReader:
    return MessageReader(conversations, pending, clock)


def promised(clock: StoppedClock, message_id: str = "m1") -> ReplyJob:
    return ReplyJob.for_request(message_id, "what was asked", clock())


def test_a_promise_is_found_by_its_id_in_its_own_conversation(
    pending: ReplyJobStore, clock: StoppedClock, tenant: str
) -> None:
    assert pending.create_job(tenant, "one", promised(clock), request_key="k") == promised(clock)

    assert pending.get_by_message(tenant, "one", "m1") == promised(clock)
    for where, name in ((tenant, "two"), ("zeta", "one")):
        with pytest.raises(NotFoundError):
            pending.get_by_message(where, name, "m1")


def test_a_request_promises_one_reply_until_its_time_has_passed(
    pending: ReplyJobStore, clock: StoppedClock, tenant: str
) -> None:
    first = pending.create_job(tenant, "one", promised(clock), request_key="k")
    assert pending.create_job(tenant, "one", promised(clock, "m2"), request_key="k") == first
    assert pending.create_job(tenant, "one", promised(clock, "m3"), request_key="other").message_id == "m3"

    clock.advance(JOB_LIFETIME)

    assert pending.create_job(tenant, "one", promised(clock, "m4"), request_key="k").message_id == "m4"


def test_a_reply_that_was_given_up_may_be_begun_again(
    pending: ReplyJobStore, clock: StoppedClock, tenant: str
) -> None:
    pending.create_job(tenant, "one", promised(clock), request_key="k")
    pending.finish_job(tenant, "one", request_key="k")

    assert pending.get_by_message(tenant, "one", "m1").until == clock()
    assert pending.create_job(tenant, "one", promised(clock, "m2"), request_key="k").message_id == "m2"


def test_a_promise_in_a_conversation_that_is_gone_is_not_made_and_its_end_brings_nothing_back(
    pending: ReplyJobStore, talks: Talks, clock: StoppedClock, tenant: str
) -> None:
    pending.create_job(tenant, "one", promised(clock), request_key="k")
    talks.conversations.delete_conversation(tenant, "one")
    clear(talks.remains, tenant)
    pending.finish_job(tenant, "one", request_key="k")

    with pytest.raises(NotFoundError):
        pending.create_job(tenant, "one", promised(clock), request_key="k2")
    with pytest.raises(NotFoundError):
        pending.create_job(tenant, "nowhere", promised(clock), request_key="k")


def test_a_conversation_that_goes_while_its_reply_is_stored_does_not_come_back_in_part(
    pending: ReplyJobStore, talks: Talks, clock: StoppedClock, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pending.create_job(tenant, "one", promised(clock), request_key="k")
    if isinstance(pending, DynamoReplyJobs):
        read = pending._at

        def read_then_deleted(where: dict[str, str]) -> ReplyJob | None:
            known = read(where)
            talks.conversations.delete_conversation(tenant, "one")
            clear(talks.remains, tenant)
            return known

        monkeypatch.setattr(pending, "_at", read_then_deleted)
        pending.finish_job(tenant, "one", request_key="k", became="m1")

        with pytest.raises(NotFoundError):
            pending.get_by_message(tenant, "one", "m1")


def test_one_worker_has_a_turn_until_it_puts_it_down_or_its_time_is_over(
    pending: ReplyJobStore, clock: StoppedClock, tenant: str
) -> None:
    pending.create_job(tenant, "one", promised(clock), request_key="k")

    def take(worker: str) -> str | None:
        until = clock() + timedelta(minutes=2)
        return pending.acquire_lease(tenant, "one", request_key="k", worker=worker, until=until)

    assert take("a") is None
    assert take("a") is None, "a repeated call is no other worker"
    with pytest.raises(UnavailableError, match="being worked on"):
        take("b")
    pending.release_lease(tenant, "one", request_key="k")
    take("b")
    clock.advance(timedelta(minutes=2))
    take("c")


def test_nobody_works_on_what_was_never_promised(
    pending: ReplyJobStore, clock: StoppedClock, tenant: str
) -> None:
    with pytest.raises(NotFoundError):
        pending.acquire_lease(tenant, "one", request_key="k", worker="a", until=clock())


def test_progress_is_found_by_whoever_takes_the_turn_up_and_by_who_begins_it_again(
    pending: ReplyJobStore, clock: StoppedClock, tenant: str
) -> None:
    pending.create_job(tenant, "one", promised(clock), request_key="k")
    for made in (PROGRESS, MORE):
        pending.save_progress(tenant, "one", made, request_key="k")
    pending.finish_job(
        tenant, "one", request_key="k", failed=ReplyFailure.from_error(UnavailableError("away"))
    )
    pending.create_job(tenant, "one", promised(clock, "m2"), request_key="k")

    digest = pending.acquire_lease(tenant, "one", request_key="k", worker="a", until=clock())

    assert digest == MORE.digest
    assert pending.get_progress(tenant, "one", digest, request_key="k") == MORE
    assert pending.get_progress(tenant, "one", PROGRESS.digest, request_key="k") is None
    assert pending.get_progress(tenant, "two", digest, request_key="k") is None
    assert pending.get_progress("zeta", "one", digest, request_key="k") is None


def test_progress_of_a_turn_that_nobody_was_promised_is_not_kept(pending: ReplyJobStore, tenant: str) -> None:
    pending.save_progress(tenant, "one", PROGRESS, request_key="k")

    assert pending.get_progress(tenant, "one", PROGRESS.digest, request_key="k") is None


def test_who_waits_learns_what_became_of_a_promise(
    pending: ReplyJobStore, clock: StoppedClock, tenant: str
) -> None:
    assert pending.find_by_request(tenant, "one", request_key="k") is None
    pending.create_job(tenant, "one", promised(clock), request_key="k")
    assert pending.find_by_request(tenant, "one", request_key="k") == promised(clock)

    why = ReplyFailure.from_error(UnavailableError("away", code="model_unavailable", retry_after_seconds=7))
    pending.finish_job(tenant, "one", request_key="k", failed=why)

    known = pending.find_by_request(tenant, "one", request_key="k")
    assert known
    assert known.failed == why
    assert (type(why.to_error()), why.to_error().code) == (UnavailableError, "model_unavailable")
    pending.create_job(tenant, "one", promised(clock, "m2"), request_key="k")
    assert pending.find_by_request(tenant, "one", request_key="k") == promised(clock, "m2")


def clear(remains: DeletedConversationItems, tenant: str) -> None:
    while remains.remove_batch(tenant, "one"):
        pass


def test_a_reply_is_pending_then_stored(
    replies: MessageReader,
    pending: ReplyJobStore,
    conversations: ConversationStore,
    clock: StoppedClock,
    tenant: str,
) -> None:
    turn, talk = a_turn(1), conversations.get_conversation(tenant, "one")
    message_id = turn.assistant.message_id
    pending.create_job(tenant, "one", promised(clock, message_id), request_key="k")
    coming = replies.get_message(talk, message_id)
    assert (coming.status, coming.content, coming.role) == ("pending", "", "assistant")

    conversations.add_turn(tenant, "one", turn, request_key="k", title=None)
    assert replies.get_message(talk, message_id) == turn.assistant
    pending.finish_job(tenant, "one", request_key="k", became=message_id)
    assert replies.get_message(talk, message_id) == turn.assistant


def test_a_reply_that_never_came_is_incomplete(
    replies: MessageReader,
    pending: ReplyJobStore,
    conversations: ConversationStore,
    clock: StoppedClock,
    tenant: str,
) -> None:
    talk = conversations.get_conversation(tenant, "one")
    pending.create_job(tenant, "one", promised(clock), request_key="k")
    clock.advance(JOB_LIFETIME - timedelta(seconds=1))
    assert replies.get_message(talk, "m1").status == "pending"

    clock.advance(timedelta(seconds=1))

    assert replies.get_message(talk, "m1").status == "incomplete"


def test_a_reply_that_was_stored_under_another_id_is_found_by_the_one_that_was_promised(
    replies: MessageReader,
    pending: ReplyJobStore,
    conversations: ConversationStore,
    clock: StoppedClock,
    tenant: str,
) -> None:
    turn = a_turn(1)
    pending.create_job(tenant, "one", promised(clock), request_key="k")
    conversations.add_turn(tenant, "one", turn, request_key="k", title=None)

    pending.finish_job(tenant, "one", request_key="k", became=turn.assistant.message_id)

    assert replies.get_message(conversations.get_conversation(tenant, "one"), "m1") == turn.assistant


def test_a_message_that_nobody_promised_is_not_found(
    replies: MessageReader, conversations: ConversationStore, tenant: str
) -> None:
    with pytest.raises(NotFoundError):
        replies.get_message(conversations.get_conversation(tenant, "one"), "nothing")
