"""The commands `dlq list`, `dlq show` and `dlq redrive`."""

import time
from argparse import ArgumentTypeError, Namespace
from collections.abc import Iterator
from dataclasses import fields
from functools import partial
from itertools import islice

from membus.aws.clients import aws_client
from membus.core.errors import InvalidError
from scripts.command import ExitCode, command, option, parse_moment, require_confirmation, titled
from scripts.dlq.queues import BUS, DeadLetter, DeadLetterFilter, DeadLetterQueue, EnvironmentQueues
from scripts.dlq.redrive import MoveTask, RedriveProgress, bus_sender, queue_sender, send_each
from scripts.output import Output, Row
from scripts.target import Target

RATE_MAX = 500  # of SQS' own task


def parse_count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError(f"'{text}' is not a number of messages: write 1 or more")
    return int(text)


QUEUE = option("queue", help="as `dlq list` names it, e.g. extract-dlq")
FILTER = titled(
    "which messages (default: all)",
    option("--reason", metavar="START", help="the reason written on it starts like this"),
    option("--tenant"),
    option("--user"),
    option("--type", help="of the event, e.g. message.sent"),
    option("--event-id", action="append", dest="event_ids", metavar="ID", help="may be repeated"),
    option("--since", type=parse_moment, help="in the queue since this time or later"),
    option("--until", type=parse_moment, help="in the queue since before this time"),
)


@command(
    "dlq list",
    "the messages of every dead-letter queue, and where they would go",
    examples=["dlq list --environment prod", "dlq list --json"],
    description="`waiting` messages can be received; `held` ones are being read, and are back "
    "within minutes. SQS counts both roughly.",
)
def list_queues(arguments: Namespace, target: Target, output: Output) -> None:  # noqa: ARG001 - no options
    queues = _queues(target)
    rows: list[Row] = []
    for queue in queues.list_dead_letter_queues():
        waiting, held = queues.get_depth(queue.name)
        how = {"task": "by SQS itself", "each": "message by message"}[queue.mode] if queue.to else None
        rows.append(
            {
                "queue": queue.name,
                "waiting": str(waiting),
                "held": str(held),
                "goes_to": queue.to,
                "how": how,
            }
        )
    output.print_rows(rows, nothing=f"{target.environment} has no dead-letter queues: is it deployed?")


@command(
    "dlq show",
    "the messages of a dead-letter queue and their reasons; none is removed",
    QUEUE,
    FILTER,
    option("--limit", type=parse_count, default=20, help="at most so many (default: %(default)s)"),
    option("--with-body", action="store_true", help="the whole message too: it holds what a user said"),
    examples=["dlq show extract-dlq", "dlq show quarantine --reason invalid_event --limit 5 --with-body"],
)
def show(arguments: Namespace, target: Target, output: Output) -> None:
    queues = _queues(target)
    _print_messages(arguments, queues, queues.get_dead_letter_queue(arguments.queue), output)


@command(
    "dlq redrive",
    "send messages of a dead-letter queue back; doing it twice is safe",
    QUEUE,
    FILTER,
    option("--limit", type=parse_count, help="at most so many (default: all)"),
    option(
        "--rate",
        type=parse_count,
        help=f"messages a second, {RATE_MAX} at most (default: as fast as possible)",
    ),
    option("--to", metavar="QUEUE", help=f"another queue, or `{BUS}` for every rule (default: see list)"),
    option(
        "--mode",
        choices=("task", "each"),
        help="by SQS itself, or message by message (default: what the queue allows)",
    ),
    examples=[
        "dlq redrive extract-dlq --rate 20",
        "dlq redrive extract-rule-dlq --dry-run --environment prod",
        "dlq redrive quarantine --reason model_unusable --tenant acme --limit 10 --yes",
    ],
    asks=True,
)
def redrive(arguments: Namespace, target: Target, output: Output) -> ExitCode:
    queues = _queues(target)
    queue = queues.get_dead_letter_queue(arguments.queue)
    to: str | None = arguments.to or queue.to
    if to is None:
        page = f"docs/runbooks/{queue.name}-not-empty.md"
        raise InvalidError(f"no queue takes the messages of {queue.name}: {page} says what to do")
    if arguments.dry_run:
        count = _print_messages(arguments, queues, queue, output)
        output.print_remark(f"would send {count} messages from {queue.name} to {to}")
        return ExitCode.DONE
    waiting, _ = queues.get_depth(queue.name)
    which = (
        f"all of the about {waiting}" if _read_filter(arguments).matches_all else f"some of about {waiting}"
    )
    require_confirmation(arguments, f"Send {which} messages of {queue.name} to {to}?")
    with output.progress_bar() as bar:
        task = bar.add_task(queue.name, total=min(waiting, arguments.limit or waiting))
        for done in _move(arguments, queues, queue, to=to):
            bar.update(task, completed=done.moved)
    row: Row = {
        "queue": queue.name,
        "to": to,
        "moved": str(done.moved),
        "left": str(len(done.left)),
        "stopped": done.stopped,
    }
    output.print_rows([row])
    for message_id, reason in done.left.items():
        output.print_remark(f"{message_id} stays: {reason}")
    if not (done.left or done.stopped):
        return ExitCode.DONE
    return ExitCode.PARTLY if done.moved else ExitCode.REFUSED


def _move(
    arguments: Namespace, queues: EnvironmentQueues, queue: DeadLetterQueue, *, to: str
) -> Iterator[RedriveProgress]:
    """Move by a task if SQS can and all of the queue goes, otherwise message by message."""
    wanted, mode = _read_filter(arguments), arguments.mode or queue.mode
    moves_all = wanted.matches_all and arguments.limit is None and to != BUS
    if arguments.mode == "task" and not moves_all:
        raise InvalidError(
            "SQS moves all of a queue, to a queue: filters, --limit and the bus need --mode each"
        )
    yield RedriveProgress()
    if mode == "task" and moves_all:
        task = MoveTask(queues.sqs, queues.get_arn(queue.name), queues.get_arn(to), time.sleep)
        if task.start(rate=arguments.rate):
            yield from task.follow_progress()
            return
        if arguments.mode == "task":
            raise InvalidError(f"SQS does not move {queue.name} by itself here: use --mode each")
    if to == BUS:
        send = bus_sender(aws_client("events"), f"membus-{queues.environment}-bus")
    else:
        send = queue_sender(queues.sqs, queues.get_url(to))
    pace = partial(time.sleep, 1 / arguments.rate if arguments.rate else 0)
    with queues.open_reader(queue.name) as reader:
        yield from send_each(reader, wanted, send, limit=arguments.limit, pace=pace)


def _print_messages(
    arguments: Namespace, queues: EnvironmentQueues, queue: DeadLetterQueue, output: Output
) -> int:
    """Print the messages that the filter matches and return their number."""
    wanted = _read_filter(arguments)
    with queues.open_reader(queue.name) as reader:
        found = islice((letter for letter in reader if letter in wanted), arguments.limit)
        rows = [_row(letter, with_body=getattr(arguments, "with_body", False)) for letter in found]
    empty = f"Dead-letter queue {queue.name} is empty."
    none = f"No message of dead-letter queue {queue.name} matches the filter."
    output.print_rows(rows, nothing=empty if wanted.matches_all else none)
    return len(rows)


def _row(letter: DeadLetter, *, with_body: bool) -> Row:
    return {
        "message_id": letter.message_id,
        "put_here_at": letter.sent_at.isoformat(timespec="seconds"),
        "reads": str(letter.receives),
        "reason": letter.reason,
        **{name: letter.get_event_field(name) for name in ("tenant_id", "user_id", "type", "event_id")},
        **({"body": letter.body} if with_body else {}),
    }


def _read_filter(arguments: Namespace) -> DeadLetterFilter:
    return DeadLetterFilter(
        **{field.name: getattr(arguments, field.name) for field in fields(DeadLetterFilter)}
    )


def _queues(target: Target) -> EnvironmentQueues:
    return EnvironmentQueues(aws_client("sqs", read_timeout_seconds=30), target.environment)
