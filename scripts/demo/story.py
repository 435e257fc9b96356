"""The demo from the first event to the last figure, in the order in which it is shown."""

from collections.abc import Callable
from dataclasses import dataclass

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from localstack.stack_file import Stack
from scripts.demo import chapters, evidence, prompt
from scripts.demo.client import Api
from scripts.demo.feed import Sent, feed
from scripts.demo.source import Source
from scripts.demo.stack import ExtractQueue, model_is_a_stand_in
from scripts.demo.wait import Clock, Depth, wait_until_extracted

USERS_WATCHED = 20  # a poll reads one profile each
READING, RETRYING = "extracting facts", "failed, retrying"
LONG_SECONDS = 20  # no batch takes so long; one that failed comes back after up to six minutes


@dataclass(frozen=True)
class Story:
    """What it is told from, and where: `depth` looks at the extract queue."""

    api: Api
    depth: Callable[[], Depth]
    source: Source
    console: Console
    clock: Clock


def tell(stack: Stack, source: Source, console: Console) -> None:
    api = Api(stack.api_url, stack.api_key)
    try:
        told = Story(api, ExtractQueue(stack.endpoint_url).depth, source, console, Clock())
        stand_in = model_is_a_stand_in()
        chapters.opening(console, source, stack.api_url, stand_in=stand_in)
        send_and_wait(told)
        show_facts(told)
        show_answer(told, stand_in=stand_in)
    finally:
        api.close()
    chapters.next_steps(console, stack.api_url, source.users()[0])


def send_and_wait(told: Story) -> Sent:
    """Send every event and return once extraction is done with them."""
    known = [user for user, version in zip(_watched(told), _versions(told), strict=True) if version]
    dead = told.depth().dead
    with _progress(told.console) as progress:
        sending = progress.add_task("sending events", total=len(told.source.events))
        sent = feed(told.api, told.source.events, advance=lambda size: progress.advance(sending, size))
    left = _wait(told, sent)
    chapters.sent(told.console, sent)
    chapters.aftermath(told.console, known_before=known, dead=left.dead - dead)
    return sent


def _wait(told: Story, sent: Sent) -> Depth:
    with _progress(told.console) as progress:
        reading = progress.add_task(READING, total=sent.accepted)
        return wait_until_extracted(
            told.depth,
            lambda: _versions(told),
            report=lambda depth, still_seconds: progress.update(
                reading,
                completed=max(0, sent.accepted - depth.left),
                description=READING if still_seconds < LONG_SECONDS else RETRYING,
            ),
            clock=told.clock,
        )


def _versions(told: Story) -> tuple[int, ...]:
    return tuple(told.api.profile(user).version for user in _watched(told))


def _watched(told: Story) -> list[str]:
    return told.source.users()[:USERS_WATCHED]


def show_facts(told: Story) -> None:
    first, *others = told.source.users()
    facts = list(told.api.facts(first))
    evidence.facts(told.console, first, facts, told.source)
    evidence.changes(told.console, [told.api.history(first, fact.key) for fact in facts if fact.replaced])
    evidence.others(
        told.console, {user: told.api.profile(user).facts for user in others[:USERS_WATCHED]}, len(others)
    )


def show_answer(told: Story, *, stand_in: bool) -> None:
    user = told.source.users()[0]
    conversation = told.api.start_conversation(user, "make demo")
    question = prompt.question_about(told.api.context(conversation, "").facts)
    context = told.api.context(conversation, question)
    reply = told.api.say(conversation, user, question)
    prompt.answer(told.console, user, question, reply, stand_in=stand_in)
    prompt.sections(told.console, context, reply.usage)
    prompt.comparison(told.console, context, told.source.of(user), known=len(told.api.profile(user).facts))


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<17}"),
        BarColumn(bar_width=40),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
