"""The commands themselves: what waits where, what it is, and sending it back."""

import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator
from functools import partial
from itertools import islice

from membus.aws.clients import aws_client
from membus.core.errors import InvalidError
from scripts.command import ExitCode, parse_moment, require_confirmation
from scripts.dlq.queues import (
    BUS,
    DeadLetter,
    DeadLetterFilter,
    DeadLetterQueue,
    EnvironmentQueues,
    QueueReader,
)
from scripts.dlq.redrive import MoveTask, RedriveProgress, bus_sender, queue_sender, send_each
from scripts.output import Output, Row
from scripts.target import AddGroup, Target

RATE_MAX = 500  # of SQS' own task


def register(add_group: AddGroup, options: ArgumentParser) -> None:
    commands = add_group("dlq", help="what membus gave up on, and the way back for it").add_subparsers(
        required=True
    )
    listing = commands.add_parser(
        "list",
        parents=[options],
        help="what waits in every dead-letter queue, and where it would go",
        examples=["dlq list --environment prod", "dlq list --json"],
    )
    listing.set_defaults(run=_list)
    show = commands.add_parser(
        "show",
        parents=[options],
        help="what a queue holds and why; nothing is taken away",
        examples=["dlq show extract-dlq", "dlq show quarantine --reason invalid_event --limit 5 --with-body"],
    )
    _which(show)
    show.add_argument("--limit", type=_number, default=20, help="at most so many (default: %(default)s)")
    show.add_argument(
        "--with-body", action="store_true", help="the whole message too: it holds what a user said"
    )
    show.set_defaults(run=_show)
    redrive = commands.add_parser(
        "redrive",
        parents=[options],
        help="send back what waits; doing it twice is safe",
        asks=True,
        examples=[
            "dlq redrive extract-dlq --rate 20",
            "dlq redrive extract-rule-dlq --dry-run --environment prod",
            "dlq redrive quarantine --reason model_unusable --tenant acme --limit 10 --yes",
        ],
    )
    _which(redrive)
    redrive.add_argument("--limit", type=_number, help="at most so many (default: all)")
    redrive.add_argument(
        "--rate", type=_number, help=f"messages a second, {RATE_MAX} at most (default: as fast as it goes)"
    )
    redrive.add_argument(
        "--to", metavar="QUEUE", help=f"another queue, or `{BUS}` for every rule (default: see list)"
    )
    redrive.add_argument(
        "--mode",
        choices=("task", "each"),
        help="by SQS itself, or message by message (default: what the queue allows)",
    )
    redrive.set_defaults(run=_redrive)


def _which(command: ArgumentParser) -> None:
    command.add_argument("queue", help="as `dlq list` names it, e.g. extract-dlq")
    which = command.add_argument_group("which messages (default: all)")
    which.add_argument("--reason", metavar="START", help="what is written on it starts like this")
    which.add_argument("--tenant")
    which.add_argument("--user")
    which.add_argument("--type", help="of the event, e.g. message.sent")
    which.add_argument(
        "--event-id", action="append", default=[], dest="event_ids", metavar="ID", help="may be repeated"
    )
    which.add_argument("--since", type=parse_moment, help="put here at this moment or later")
    which.add_argument("--until", type=parse_moment, help="put here before it")


def _list(arguments: Namespace, target: Target, output: Output) -> None:  # noqa: ARG001 - every command is called alike
    queues = _queues(target)
    output.print_rows(
        [_described(end, *queues.get_depth(end.name)) for end in queues.list_dead_letter_queues()],
        nothing=f"{target.environment} has no dead-letter queues: is it deployed?",
    )


def _described(end: DeadLetterQueue, waiting: int, held: int) -> Row:
    way = {"task": "by SQS itself", "each": "message by message"}[end.mode] if end.to else None
    return {"queue": end.name, "waiting": str(waiting), "held": str(held), "goes_to": end.to, "how": way}


def _show(arguments: Namespace, target: Target, output: Output) -> None:
    queues, wanted = _queues(target), _read_filter(arguments)
    end = queues.get_dead_letter_queue(arguments.queue)
    with QueueReader(queues.sqs, queues.get_url(end.name)) as reading:
        rows = [
            _row(each, body=arguments.with_body)
            for each in islice(_filter_from(reading, wanted), arguments.limit)
        ]
    output.print_rows(rows, nothing=f"Nothing like that in {end.name}.")


def _redrive(arguments: Namespace, target: Target, output: Output) -> ExitCode:
    queues = _queues(target)
    end = queues.get_dead_letter_queue(arguments.queue)
    to = arguments.to or end.to
    if to is None:
        raise InvalidError(
            f"no queue takes what lies in {end.name}: docs/runbooks/{end.name}-not-empty.md says what to do"
        )
    waiting, _ = queues.get_depth(end.name)
    if arguments.dry_run:
        return _rehearse(arguments, queues, end, output, to=to)
    require_confirmation(arguments, f"Send what is wanted of about {waiting} messages in {end.name} to {to}?")
    with output.progress_bar() as bar:
        task = bar.add_task(end.name, total=min(waiting, arguments.limit or waiting))
        for done in _moves(arguments, queues, end, to=to):
            bar.update(task, completed=done.moved)
    return _print_progress(done, end, to, output)


def _moves(
    arguments: Namespace, queues: EnvironmentQueues, end: DeadLetterQueue, *, to: str
) -> Iterator[RedriveProgress]:
    """Move by a task where all of a queue goes and SQS does it, otherwise message by message."""
    wanted, mode = _read_filter(arguments), arguments.mode or end.mode
    whole = wanted.matches_all and arguments.limit is None and to != BUS
    if arguments.mode == "task" and not whole:
        raise InvalidError(
            "SQS moves all of a queue, to a queue: filters, --limit and the bus need --mode each"
        )
    yield RedriveProgress()
    if mode == "task" and whole:
        task = MoveTask(queues.sqs, queues.get_arn(end.name), queues.get_arn(to), time.sleep)
        if task.start(rate=arguments.rate):
            yield from task.follow_progress()
            return
        if arguments.mode == "task":
            raise InvalidError(f"SQS does not move {end.name} by itself here: use --mode each")
    send = (
        bus_sender(aws_client("events"), f"membus-{queues.environment}-bus")
        if to == BUS
        else queue_sender(queues.sqs, queues.get_url(to))
    )
    pace = partial(time.sleep, 1 / arguments.rate if arguments.rate else 0)
    with QueueReader(queues.sqs, queues.get_url(end.name)) as reading:
        yield from send_each(reading, wanted, send, limit=arguments.limit, pace=pace)


def _rehearse(
    arguments: Namespace, queues: EnvironmentQueues, end: DeadLetterQueue, output: Output, *, to: str
) -> ExitCode:
    with QueueReader(queues.sqs, queues.get_url(end.name)) as reading:
        rows = [
            _row(letter) for letter in islice(_filter_from(reading, _read_filter(arguments)), arguments.limit)
        ]
    output.print_rows(rows, nothing=f"Nothing like that in {end.name}.")
    output.print_remark(f"would send {len(rows)} messages from {end.name} to {to}")
    return ExitCode.DONE


def _print_progress(done: RedriveProgress, end: DeadLetterQueue, to: str, output: Output) -> ExitCode:
    row: Row = {
        "queue": end.name,
        "to": to,
        "moved": str(done.moved),
        "left": str(len(done.left)),
        "stopped": done.stopped,
    }
    output.print_rows([row], nothing="")
    for message_id, why in done.left.items():
        output.print_remark(f"{message_id} stays: {why}")
    if not (done.left or done.stopped):
        return ExitCode.DONE
    return ExitCode.PARTLY if done.moved else ExitCode.REFUSED


def _filter_from(reading: QueueReader, wanted: DeadLetterFilter) -> Iterator[DeadLetter]:
    return (letter for letter in reading if letter in wanted)


def _row(letter: DeadLetter, *, body: bool = False) -> Row:
    fields = {name: letter.get_event_field(name) for name in ("tenant_id", "user_id", "type", "event_id")}
    return {
        "message_id": letter.message_id,
        "put_here_at": letter.sent_at.isoformat(timespec="seconds"),
        "reads": str(letter.receives),
        "reason": letter.reason,
        **fields,
        **({"body": letter.body} if body else {}),
    }


def _read_filter(arguments: Namespace) -> DeadLetterFilter:
    return DeadLetterFilter(
        reason=arguments.reason,
        tenant=arguments.tenant,
        user=arguments.user,
        type=arguments.type,
        event_ids=tuple(arguments.event_ids),
        since=arguments.since,
        until=arguments.until,
    )


def _queues(target: Target) -> EnvironmentQueues:
    return EnvironmentQueues(aws_client("sqs", read_timeout_seconds=30), target.environment)


def _number(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError(f"'{text}' is no number of messages: write 1 or more")
    return int(text)
