"""A turn of chat, top to bottom: load, claim, assemble, let the model speak, store, publish.

HTTP, WebSocket and the background are transports of it: nothing here knows which one asked.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from functions.chat.agent_loop import NO_USAGE, AgentLoop, ChatStreamEvent, TurnProgress
from functions.chat.context import assemble_context
from functions.chat.context_loader import ContextLoader, FirstReads, SecondReads
from functions.chat.deadline import Deadline, DeadlineError
from functions.chat.schemas import check_message, ensure_same_message
from functions.chat.tool_calls import ToolExecutor, ToolResultStore
from functions.chat.tools import ToolContext
from functions.chat.turn_records import (
    TurnJob,
    build_metadata,
    build_turn,
    is_summary_due,
    make_tool_context,
    summary_due_event,
    turn_recorded_event,
    with_new_ids,
)
from membus.conversations.conversation import (
    Conversation,
    Message,
    MessageIdGenerator,
    Step,
    Turn,
    make_title,
)
from membus.conversations.ports import ConversationStore, ReplyJobStore, TurnQueue
from membus.conversations.provenance import TurnMetadata
from membus.conversations.reply_jobs import JobClaim, Lease, ReplyJob, StepProgress
from membus.conversations.window import ratio_or_default
from membus.core.clock import Clock
from membus.core.erasure import SubjectsBeingErased
from membus.core.errors import BudgetError, ConflictError, UnavailableError
from membus.core.tokens import TokenUsage
from membus.erasure.guard import ErasureGuard, ensure_conversation_visible, erasing_error
from membus.events.ports import EventBus
from membus.llm.ports import LanguageModel
from membus.observability import logger

LEASE_MARGIN_SECONDS = 5
"""A worker has a turn until its deadline, and so much longer to store it."""


@dataclass(frozen=True)
class TurnEnd:
    """The turn is stored, or was before; always the last event."""

    turn: Turn


ChatEvent = ChatStreamEvent | TurnEnd


class InProgressError(UnavailableError):
    """Another invocation works on this very turn, or will; `message` is the reply to ask for."""

    def __init__(self, message: Message) -> None:
        super().__init__("this turn is being worked on", code="in_progress")
        self.message = message


def is_passing(error: Exception) -> bool:
    """Whether time may heal what ended a turn."""
    return isinstance(error, UnavailableError | ConflictError) and not isinstance(error, BudgetError)


@dataclass(frozen=True)
class ChatService:
    """Chat in one invocation: it works on a turn until `deadline`, and `worker` is its name in a lease.

    `model` makes the model for the tenant who pays, `make_tools` the tools of one turn.
    """

    loader: ContextLoader
    guard: ErasureGuard
    conversations: ConversationStore
    jobs: ReplyJobStore
    queue: TurnQueue
    bus: EventBus
    announcements: Callable[[], EventBus]
    model: Callable[[str], LanguageModel]
    make_tools: Callable[[ToolContext], ToolExecutor]
    results: ToolResultStore
    clock: Clock
    ids: MessageIdGenerator
    deadline: Deadline
    worker: str = field(default_factory=lambda: uuid4().hex)

    def run_turn(self, job: TurnJob, *, streaming: bool) -> Iterator[ChatEvent]:
        """Yield what happens until a message is answered, `TurnEnd` last.

        The worker that has the lease of the request's job asks the model, once no stored turn is found behind
        the claim. A repeated request gets the stored turn, and its event is published again. A stream that
        breaks off is a turn too: an incomplete one, and what the same request gets from then on.

        Raises:
            InvalidError: blank or too long, or `idempotency_mismatch`: the key was used for another message.
            ConflictError: `erasing`, the author or the conversation's owner is being erased; of another
                participant it is UnavailableError, until their words are gone; `in_progress`, the same
                request was answered elsewhere at the same moment.
            InProgressError: another invocation works on it, or this one handed it over at its deadline.
            UnavailableError: the model or the bus is down; the same request may be sent again.
        """
        check_message(job.message)
        reads = self.loader.start_reads(job.author, job.conversation_id, job.message.content)
        stored = self.loader.pool.submit(self._find_turn, job)
        hidden = self.loader.pool.submit(self.guard.get_hidden, job.tenant)
        conversation = reads.wait_for_conversation()
        self._ensure_visible(job, conversation, hidden.result())
        turn = stored.result()
        if turn is None:
            turn = yield from self._claim_and_answer(job, conversation, reads, streaming)
        elif (
            not self.deadline.resumable
        ):  # a worker before this one stored it, and told the job nothing of it
            self.end_job(job, became=turn.assistant.message_id)
        ensure_same_message(turn.request, job.message)
        self._publish(conversation, turn)
        yield TurnEnd(turn)

    def answer(self, job: TurnJob) -> Turn:
        """Return the turn that `run_turn` ends with, for a transport that streams to no client."""
        turns = (event.turn for event in self.run_turn(job, streaming=False) if isinstance(event, TurnEnd))
        return next(turns)

    def _find_turn(self, job: TurnJob) -> Turn | None:
        return self.conversations.find_turn(job.tenant, job.conversation_id, job.request_key)

    def _ensure_visible(self, job: TurnJob, conversation: Conversation, hidden: SubjectsBeingErased) -> None:
        """Raise where words of a participant who is being erased would be read, shown to a model or written."""
        if hidden.contains_user(job.message.author) or hidden.contains_user(conversation.user_id):
            raise erasing_error()
        ensure_conversation_visible(conversation, hidden, self.conversations)

    def _claim_and_answer(
        self,
        job: TurnJob,
        conversation: Conversation,
        reads: FirstReads,
        streaming: bool,  # noqa: FBT001 (handed on as it is)
    ) -> Generator[ChatEvent, None, Turn]:
        """Answer under a lease of the request's job, and give the lease up with what became of the turn."""
        second_reads = reads.start_second_reads(conversation)
        claim = self._claim_job(job)
        stored = self._find_turn(job) if claim.repeated else None  # since the first look
        if stored is None and not claim.granted:
            ensure_same_message(claim.job.request, job.message)
            raise InProgressError(claim.job.to_message(conversation, self.clock()))
        try:
            turn = stored or (yield from self._answer(job, conversation, second_reads, claim, streaming))
        except DeadlineError:
            raise self._hand_over(job, conversation) from None
        except Exception:
            if self.deadline.resumable:  # the background decides itself whether its turn is tried again
                self.end_job(job)
            raise
        self.end_job(job, became=turn.assistant.message_id)
        return turn

    def _claim_job(self, job: TurnJob) -> JobClaim:
        """Ask for the job; that of a request ends with its lease, until it is handed over."""
        seconds = max(self.deadline.seconds_left(), 0) + LEASE_MARGIN_SECONDS
        lease = Lease(worker=self.worker, until=self.clock() + timedelta(seconds=seconds))
        reply_job = job.to_reply_job(lease.until if self.deadline.resumable else None)
        return self.jobs.claim_job(job.request, reply_job, lease)

    def _answer(
        self,
        job: TurnJob,
        conversation: Conversation,
        reads: SecondReads,
        claim: JobClaim,
        streaming: bool,  # noqa: FBT001 (handed on as it is)
    ) -> Generator[ChatEvent, None, Turn]:
        sources = reads.wait_for_sources()
        context = assemble_context(sources, job.message.content, job.asked_at)
        tools = self.make_tools(make_tool_context(job, conversation, context))
        progress = self._load_progress(job, conversation, claim, tools)
        loop = AgentLoop(self.model(job.tenant), tools, self.deadline, streaming)
        result = yield from loop.run_turn(context, progress)
        key = self.results.save_results(conversation, job.reply_id, tools.full_results)
        turn = build_turn(job, conversation, context, result, now=self.clock(), full_results_key=key)
        metadata = build_metadata(turn, job, sources, context, result, agent_id=conversation.agent_id)
        turn = self._store(job, turn, metadata)
        if is_summary_due(conversation, turn, ratio_or_default(metadata.rate)):
            # What is not taken is due again with the next turn.
            self.announcements().publish_events([summary_due_event(conversation, turn)])
        return turn

    def _load_progress(
        self, job: TurnJob, conversation: Conversation, claim: JobClaim, tools: ToolExecutor
    ) -> TurnProgress:
        """Return the steps that were taken for this very message before, and have each further step kept."""
        request = job.message.fingerprint

        def keep(steps: tuple[Step, ...], usage: TokenUsage) -> None:
            key = self.results.save_results(conversation, job.reply_id, tools.full_results)
            try:
                self.jobs.save_progress(
                    job.request, StepProgress(request=request, steps=steps, usage=usage, whole=key)
                )
            except UnavailableError as error:
                logger.warning("what tools gave is not kept, the turn goes on", extra={"code": error.code})

        before = self.jobs.get_progress(job.request, claim.progress) if claim.progress else None
        if before is None or before.request != request:
            return TurnProgress((), NO_USAGE, keep)
        tools.record_calls(before.steps, self.results.load_results(before.whole))
        return TurnProgress(before.steps, before.usage, keep)

    def _store(self, job: TurnJob, turn: Turn, metadata: TurnMetadata) -> Turn:
        """Store the turn; where a summary was faster than its answer, as one that was said after it."""
        try:
            self._add_turn(job, turn, metadata)
        except ConflictError as error:
            if error.code != "covered":
                raise ConflictError(
                    "the same request is being answered right now", code="in_progress"
                ) from error
            turn = with_new_ids(turn, self.ids, self.clock())
            self._add_turn(
                job, turn, metadata.with_message_ids(turn.user.message_id, turn.assistant.message_id)
            )
        return turn

    def _add_turn(self, job: TurnJob, turn: Turn, metadata: TurnMetadata) -> None:
        self.conversations.add_turn(
            job.tenant,
            job.conversation_id,
            turn,
            request_key=job.request_key,
            title=make_title(turn.user.content),
            metadata=metadata,
        )

    def _publish(self, conversation: Conversation, turn: Turn) -> None:
        """Publish the turn, again on every repeat of the request: the event's id makes the copies one.

        The bus, whose archive keeps everything, hears nothing of what is not to be remembered.
        """
        if turn.user.remember and self.bus.publish_events([turn_recorded_event(conversation, turn)]):
            raise UnavailableError("the turn is stored but not yet learned from; send the same request again")

    def _hand_over(self, job: TurnJob, conversation: Conversation) -> InProgressError:
        """Let the background go on with a turn that the request has no time for; return the answer to it."""
        reply_job = job.to_reply_job()
        self.jobs.update_job(job.request, reply_job, worker=self.worker)
        enqueue_turn(job, self.jobs, self.queue, self.clock())
        return InProgressError(reply_job.to_message(conversation, self.clock()))

    def release_job(self, job: TurnJob) -> None:
        """Let another worker take the turn up."""
        self._update_job(job, job.to_reply_job())

    def end_job(self, job: TurnJob, became: str | None = None) -> None:
        """Let the same request begin anew, or lead to the reply that the turn became."""
        self._update_job(job, job.to_reply_job().end_at(self.clock(), became))

    def _update_job(self, job: TurnJob, reply_job: ReplyJob) -> None:
        """Write a job that ends by itself where it cannot be written."""
        try:
            self.jobs.update_job(job.request, reply_job, worker=self.worker)
        except UnavailableError as error:
            logger.warning("a reply job is not updated, it ends by itself", extra={"code": error.code})


def enqueue_turn(job: TurnJob, jobs: ReplyJobStore, queue: TurnQueue, now: datetime) -> None:
    """Have a turn worked on in the background; where it is not taken its job is over."""
    try:
        queue.enqueue_turn(job.model_dump(mode="json"))
    except UnavailableError:
        jobs.update_job(job.request, job.to_reply_job().end_at(now))
        raise
