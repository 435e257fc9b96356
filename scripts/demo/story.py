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
SLOW_SECONDS = 20  # no batch takes so long; one that failed is received again after six minutes


@dataclass(frozen=True)
class DemoRun:
    """One run of the demo; `depth` reads the depth of the extract queue."""

    api: ApiClient
    depth: Callable[[], QueueDepth]
    source: EventSource
    console: Console
    clock: PollClock


def run_demo(stack: Stack, source: EventSource, console: Console) -> None:
    api, stand_in = ApiClient(stack.api_url, stack.api_key), model_is_a_stand_in()
    try:
        run = DemoRun(api, ExtractQueue(stack.endpoint_url).get_depth, source, console, PollClock())
        report.show_opening(console, source, stack.api_url, stand_in=stand_in)
        send_and_wait(run)
        show_facts(run)
        show_answer(run, stand_in=stand_in)
    finally:
        api.close()
    report.show_next_steps(console, stack.api_url, source.list_users()[0])


def send_and_wait(run: DemoRun) -> None:
    """Send every event and return once extraction is done with them."""
    watched = run.source.list_users()[:USERS_WATCHED]
    known = [user for user in watched if run.api.get("users", user, "profile").version]
    dead = run.depth().dead
    with _progress(run.console) as progress:
        task = progress.add_task("sending events", total=len(run.source.events))
        sent = send_events(run.api, run.source.events, advance=lambda size: progress.advance(task, size))
    left = _wait(run, sent, watched)
    report.show_send_report(run.console, sent, known_before=known, dead=left.dead - dead)


def _wait(run: DemoRun, sent: SendReport, watched: list[str]) -> QueueDepth:
    with _progress(run.console) as progress:
        task = progress.add_task("extracting facts", total=sent.accepted)

        def show(depth: QueueDepth, still_seconds: float) -> None:
            state = "extracting facts" if still_seconds < SLOW_SECONDS else "failed, retrying"
            done = max(0, sent.accepted - depth.messages_left)
            progress.update(task, completed=done, description=state)

        return wait_until_extracted(
            run.depth,
            lambda: tuple(run.api.get("users", user, "profile").version for user in watched),
            report=show,
            clock=run.clock,
        )


def show_facts(run: DemoRun) -> None:
    user, *others = run.source.list_users()
    facts = list(run.api.list_all("users", user, "facts"))
    report.show_facts(run.console, user, facts, run.source)
    changed = [fact.key for fact in facts if fact.replaced]
    histories = (run.api.list_all("users", user, "facts", key, "history") for key in changed)
    report.show_changes(run.console, list(map(list, histories)))
    profiles = {other: run.api.get("users", other, "profile").facts for other in others[:USERS_WATCHED]}
    report.show_other_users(run.console, profiles, len(others))


def show_answer(run: DemoRun, *, stand_in: bool) -> None:
    user = run.source.list_users()[0]
    conversation = run.api.post("conversations", user_id=user, title="make demo").conversation_id
    path = ("conversations", conversation)
    question = report.choose_question(run.api.get(*path, "context", message="").facts)
    context = run.api.get(*path, "context", message=question)
    reply = run.api.post(*path, "messages", content=question, author=user)
    report.show_answer(run.console, user, question, reply.message.content, stand_in=stand_in)
    report.show_sections(run.console, context, reply.usage)
    known = len(run.api.get("users", user, "profile").facts)
    report.show_comparison(run.console, context, run.source.list_events(user), known=known)


def _progress(console: Console) -> Progress:
    columns = (BarColumn(bar_width=40), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(TextColumn("{task.description:<17}"), *columns, console=console)
