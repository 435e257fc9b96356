"""The demo from the first event to the last figure, in the order in which it is shown."""

from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from localstack.home import Stack
from scripts.demo import report
from scripts.demo.api import ApiClient, SendReport, send_events
from scripts.demo.sources import EventSource
from scripts.demo.stack import ExtractQueue, PollClock, QueueDepth, model_is_a_stand_in, wait_until_extracted

USERS_WATCHED = 20  # a poll reads one profile each
READING, RETRYING = "extracting facts", "failed, retrying"
LONG_SECONDS = 20  # no batch takes so long; one that failed comes back after up to six minutes


@dataclass(frozen=True)
class DemoRun:
    """What it is told from, and where: `depth` looks at the extract queue."""

    api: ApiClient
    depth: Callable[[], QueueDepth]
    source: EventSource
    console: Console
    clock: PollClock


def run_demo(stack: Stack, source: EventSource, console: Console) -> None:
    api = ApiClient(stack.api_url, stack.api_key)
    try:
        told = DemoRun(api, ExtractQueue(stack.endpoint_url).get_depth, source, console, PollClock())
        stand_in = model_is_a_stand_in()
        report.show_opening(console, source, stack.api_url, stand_in=stand_in)
        send_and_wait(told)
        show_facts(told)
        show_answer(told, stand_in=stand_in)
    finally:
        api.close()
    report.show_next_steps(console, stack.api_url, source.list_users()[0])


def send_and_wait(told: DemoRun) -> SendReport:
    """Send every event and return once extraction is done with them."""
    known = [user for user, version in zip(_watched(told), _versions(told), strict=True) if version]
    dead = told.depth().dead
    with _progress(told.console) as progress:
        sending = progress.add_task("sending events", total=len(told.source.events))
        sent = send_events(told.api, told.source.events, advance=lambda size: progress.advance(sending, size))
    left = _wait(told, sent)
    report.show_send_report(told.console, sent)
    report.show_aftermath(told.console, known_before=known, dead=left.dead - dead)
    return sent


def _wait(told: DemoRun, sent: SendReport) -> QueueDepth:
    with _progress(told.console) as progress:
        reading = progress.add_task(READING, total=sent.accepted)
        return wait_until_extracted(
            told.depth,
            lambda: _versions(told),
            report=lambda depth, still_seconds: progress.update(
                reading,
                completed=max(0, sent.accepted - depth.messages_left),
                description=READING if still_seconds < LONG_SECONDS else RETRYING,
            ),
            clock=told.clock,
        )


def _versions(told: DemoRun) -> tuple[int, ...]:
    return tuple(told.api.get_profile(user).version for user in _watched(told))


def _watched(told: DemoRun) -> list[str]:
    return told.source.list_users()[:USERS_WATCHED]


def show_facts(told: DemoRun) -> None:
    first, *others = told.source.list_users()
    facts = list(told.api.list_facts(first))
    report.show_facts(told.console, first, facts, told.source)
    report.show_changes(
        told.console, [told.api.list_history(first, fact.key) for fact in facts if fact.replaced]
    )
    report.show_other_users(
        told.console, {user: told.api.get_profile(user).facts for user in others[:USERS_WATCHED]}, len(others)
    )


def show_answer(told: DemoRun, *, stand_in: bool) -> None:
    user = told.source.list_users()[0]
    conversation = told.api.start_conversation(user, "make demo")
    question = report.choose_question(told.api.get_context(conversation, "").facts)
    context = told.api.get_context(conversation, question)
    reply = told.api.send_message(conversation, user, question)
    report.show_answer(told.console, user, question, reply, stand_in=stand_in)
    report.show_sections(told.console, context, reply.usage)
    report.show_comparison(
        told.console, context, told.source.list_events(user), known=len(told.api.get_profile(user).facts)
    )


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<17}"),
        BarColumn(bar_width=40),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
