"""The port ReplyJobStore: one job for each request, and a reply is known by its id before it is there."""

from dataclasses import replace
from datetime import timedelta

import pytest

from membus.conversations.conversation import Step
from membus.conversations.dynamodb_replies import DynamoReplyJobs
from membus.conversations.message_reader import MessageReader
from membus.conversations.ports import ConversationStore, DeletedConversationItems, ReplyJobStore
from membus.conversations.reply_jobs import (
    JOB_LIFETIME,
    JobClaim,
    Lease,
    ReplyJob,
    RequestRef,
    StepProgress,
)
from membus.core.errors import NotFoundError
from membus.core.identity import Owner
from membus.core.tokens import TokenUsage
from membus.llm.prompt import ToolCall, ToolResult
from tests.contract.conftest import Talks
from tests.factories import a_conversation, a_turn
from tests.fakes.clock import StoppedClock
from tests.fakes.reply_jobs import InMemoryReplyJobs

STEP = Step(
    calls=(ToolCall(call_id="1", name="search_memory", arguments={"query": "☂"}),),
    results=(ToolResult(call_id="1", content="<result>\n- rain\n</result>"),),
)
PROGRESS = StepProgress(request="what was asked", steps=(STEP,), usage=TokenUsage(input=10, output=2))
MORE = PROGRESS.model_copy(update={"steps": (STEP, STEP), "whole": "results/acme/one/m1-1"})


@pytest.fixture
def jobs(talks: Talks, clock: StoppedClock) -> ReplyJobStore:
    """Return the jobs in the table of `conversations`."""
    return DynamoReplyJobs(talks.table, clock) if talks.table else InMemoryReplyJobs(clock)


@pytest.fixture
def tenant(owner: Owner, conversations: ConversationStore) -> str:
    for name in ("one", "two"):
        conversations.create_conversation(
            a_conversation(name, tenant_id=owner.tenant), request_key=f"{owner.tenant}-{name}"
        )
    return owner.tenant


@pytest.fixture
def request_ref(tenant: str) -> RequestRef:
    return RequestRef(tenant, "one", "k")


@pytest.fixture
def replies(conversations: ConversationStore, jobs: ReplyJobStore, clock: StoppedClock) -> MessageReader:
    return MessageReader(conversations, jobs, clock)


def a_job(clock: StoppedClock, message_id: str = "m1") -> ReplyJob:
    now = clock()
    return ReplyJob(message_id=message_id, request="what was asked", since=now, until=now + JOB_LIFETIME)


def test_a_job_is_found_by_its_message_in_its_own_conversation(
    jobs: ReplyJobStore, clock: StoppedClock, request_ref: RequestRef
) -> None:
    claim = jobs.claim_job(request_ref, a_job(clock))

    assert claim == JobClaim(a_job(clock), granted=True)
    assert jobs.get_by_message(request_ref.tenant, "one", "m1") == a_job(clock)
    for tenant, name in ((request_ref.tenant, "two"), ("zeta", "one")):
        with pytest.raises(NotFoundError):
            jobs.get_by_message(tenant, name, "m1")


def test_a_request_has_one_job_until_its_time_has_passed(
    jobs: ReplyJobStore, clock: StoppedClock, request_ref: RequestRef
) -> None:
    jobs.claim_job(request_ref, first := a_job(clock))

    assert jobs.claim_job(request_ref, a_job(clock, "m2")) == JobClaim(first, granted=False, repeated=True)
    assert jobs.claim_job(replace(request_ref, key="other"), a_job(clock, "m3")).granted
    clock.advance(JOB_LIFETIME)
    assert jobs.claim_job(request_ref, a_job(clock, "m4")) == JobClaim(
        a_job(clock, "m4"), granted=True, repeated=True
    )


def test_a_request_whose_job_is_over_may_begin_again(
    jobs: ReplyJobStore, clock: StoppedClock, request_ref: RequestRef
) -> None:
    jobs.claim_job(request_ref, a_job(clock), lease := Lease("a", clock() + JOB_LIFETIME))
    jobs.update_job(request_ref, a_job(clock).end_at(clock()), worker=lease.worker)

    assert jobs.get_by_message(request_ref.tenant, "one", "m1").until == clock()
    claim = jobs.claim_job(request_ref, a_job(clock, "m2"))
    assert (claim.granted, claim.repeated) == (True, True)


def test_the_end_of_a_job_brings_nothing_of_a_conversation_back(
    jobs: ReplyJobStore, talks: Talks, clock: StoppedClock, request_ref: RequestRef
) -> None:
    jobs.claim_job(request_ref, job := a_job(clock), Lease("a", clock() + JOB_LIFETIME))
    jobs.save_progress(request_ref, PROGRESS)
    talks.conversations.delete_conversation(request_ref.tenant, "one")
    clear(talks.remains, request_ref.tenant)
    if isinstance(jobs, InMemoryReplyJobs):
        jobs.jobs.clear()

    jobs.update_job(request_ref, job.end_at(clock(), became="m1"), worker="a")
    jobs.save_progress(request_ref, MORE)

    with pytest.raises(NotFoundError):
        jobs.get_by_message(request_ref.tenant, "one", "m1")
    assert jobs.get_progress(request_ref, MORE.digest) is None


def test_one_worker_has_a_job_until_it_gives_it_up_or_its_time_is_over(
    jobs: ReplyJobStore, clock: StoppedClock, request_ref: RequestRef
) -> None:
    job, until = a_job(clock), clock() + timedelta(minutes=2)

    def claim(worker: str) -> bool:
        return jobs.claim_job(request_ref, job, Lease(worker, until)).granted

    assert claim("a")
    assert claim("a"), "a repeated call is no other worker"
    assert not claim("b")
    assert not jobs.claim_job(request_ref, job).granted, "nor is it let go by who has no lease"
    jobs.update_job(request_ref, job, worker="a")
    assert claim("b")
    clock.advance(timedelta(minutes=2))
    until = clock() + timedelta(minutes=2)
    assert claim("c")


def test_a_job_is_updated_by_nobody_but_its_worker(
    jobs: ReplyJobStore, clock: StoppedClock, request_ref: RequestRef
) -> None:
    jobs.claim_job(request_ref, job := a_job(clock), Lease("a", clock() + timedelta(minutes=2)))
    ended = job.end_at(clock())

    jobs.update_job(request_ref, ended)
    jobs.update_job(request_ref, ended, worker="b")
    jobs.update_job(request_ref, a_job(clock, "m2").end_at(clock()), worker="a")

    assert jobs.get_by_message(request_ref.tenant, "one", "m1") == job


def test_progress_is_found_by_who_takes_the_turn_up_and_by_who_begins_it_again(
    jobs: ReplyJobStore, clock: StoppedClock, request_ref: RequestRef
) -> None:
    jobs.claim_job(request_ref, a_job(clock), Lease("a", clock() + JOB_LIFETIME))
    for made in (PROGRESS, MORE):
        jobs.save_progress(request_ref, made)
    jobs.update_job(request_ref, a_job(clock), worker="a")

    taken_up = jobs.claim_job(request_ref, a_job(clock), Lease("b", clock() + JOB_LIFETIME))
    jobs.update_job(request_ref, a_job(clock).end_at(clock()), worker="b")
    begun_again = jobs.claim_job(request_ref, a_job(clock, "m2"))

    assert taken_up.progress == begun_again.progress == MORE.digest
    assert jobs.get_progress(request_ref, MORE.digest) == MORE
    assert jobs.get_progress(request_ref, PROGRESS.digest) is None
    for other in (replace(request_ref, conversation_id="two"), replace(request_ref, tenant="zeta")):
        assert jobs.get_progress(other, MORE.digest) is None


def test_progress_without_a_job_is_not_kept(jobs: ReplyJobStore, request_ref: RequestRef) -> None:
    jobs.save_progress(request_ref, PROGRESS)

    assert jobs.get_progress(request_ref, PROGRESS.digest) is None


def clear(remains: DeletedConversationItems, tenant: str) -> None:
    while remains.remove_batch(tenant, "one"):
        pass


def test_a_reply_is_pending_then_stored(
    replies: MessageReader,
    jobs: ReplyJobStore,
    conversations: ConversationStore,
    clock: StoppedClock,
    request_ref: RequestRef,
) -> None:
    turn, talk = a_turn(1), conversations.get_conversation(request_ref.tenant, "one")
    message_id = turn.assistant.message_id
    jobs.claim_job(request_ref, job := a_job(clock, message_id))
    coming = replies.get_message(talk, message_id)
    assert (coming.status, coming.content, coming.role) == ("pending", "", "assistant")

    conversations.add_turn(request_ref.tenant, "one", turn, request_key="k", title=None)
    assert replies.get_message(talk, message_id) == turn.assistant
    jobs.update_job(request_ref, job.end_at(clock(), became=message_id))
    assert replies.get_message(talk, message_id) == turn.assistant


def test_a_reply_that_never_came_is_incomplete(
    replies: MessageReader,
    jobs: ReplyJobStore,
    conversations: ConversationStore,
    clock: StoppedClock,
    request_ref: RequestRef,
) -> None:
    talk = conversations.get_conversation(request_ref.tenant, "one")
    jobs.claim_job(request_ref, a_job(clock))
    clock.advance(JOB_LIFETIME - timedelta(seconds=1))
    assert replies.get_message(talk, "m1").status == "pending"

    clock.advance(timedelta(seconds=1))

    assert replies.get_message(talk, "m1").status == "incomplete"


def test_a_reply_that_was_stored_under_another_id_is_found_by_its_first_one(
    replies: MessageReader,
    jobs: ReplyJobStore,
    conversations: ConversationStore,
    clock: StoppedClock,
    request_ref: RequestRef,
) -> None:
    turn = a_turn(1)
    jobs.claim_job(request_ref, job := a_job(clock))
    conversations.add_turn(request_ref.tenant, "one", turn, request_key="k", title=None)

    jobs.update_job(request_ref, job.end_at(clock(), became=turn.assistant.message_id))

    talk = conversations.get_conversation(request_ref.tenant, "one")
    assert replies.get_message(talk, "m1") == turn.assistant


def test_a_message_that_no_job_is_about_is_not_found(
    replies: MessageReader, conversations: ConversationStore, tenant: str
) -> None:
    with pytest.raises(NotFoundError):
        replies.get_message(conversations.get_conversation(tenant, "one"), "nothing")
