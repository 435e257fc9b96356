"""`reindex`.

Make a tenant's search index anew from what DynamoDB holds, in the model in use or one beside it.
"""

import json
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from membus.aws.clients import aws_client
from membus.core.errors import UnavailableError
from scripts.command import require_confirmation
from scripts.output import Output
from scripts.target import AddGroup, Target

TABLES = ("memory", "conversations")
BATCH_ITEMS, BATCH_BYTES = 50, 3_000_000  # an invocation takes 6 MB and has two minutes
TRIES = 5
KINDS = ("fact", "episode", "document", "summary")
Item = Mapping[str, Any]
Send = Callable[[Sequence[dict[str, Any]]], Sequence[str]]
"""Hand changes to `index`; the sequence numbers of those that did not get in come back."""


@dataclass
class ReindexProgress:
    """How far a run has come; written after every page, so that one that was cut off goes on."""

    file: Path
    table: int = 0
    after: Item | None = None
    kinds: Counter[str] = field(default_factory=Counter)
    scanned: int = 0

    @classmethod
    def load_progress(cls, file: Path) -> "ReindexProgress":
        if not file.exists():
            return cls(file)
        kept = json.loads(file.read_text(encoding="utf-8"))
        return cls(file, kept["table"], kept["after"], Counter(kept["kinds"]), kept["scanned"])

    def save_progress(self) -> None:
        kept = {"table": self.table, "after": self.after, "kinds": self.kinds, "scanned": self.scanned}
        self.file.write_text(json.dumps(kept), encoding="utf-8")


def register(add_group: AddGroup, options: ArgumentParser) -> None:
    reindex = add_group(
        "reindex",
        parents=[options],
        help="make a tenant's search index anew",
        asks=True,
        examples=["reindex --tenant acme --dry-run", "reindex --tenant acme --model cohere.embed-v4 --yes"],
        description="Reads the tables `memory` and `conversations` once through: half a read unit for each 4 KB they "
        "hold, whoever it belongs to. Texts that have their vector keep it; run it again to go on where it stopped.",
    )
    reindex.add_argument("--tenant", required=True)
    reindex.add_argument("--model", help="an embedding model beside the one in use (default: the one in use)")
    reindex.add_argument("--place", type=Path, metavar="FILE", help="where to keep how far it has come")
    reindex.set_defaults(run=_run)


def _run(arguments: Namespace, target: Target, output: Output) -> None:
    target.get_tenant(arguments.tenant)
    name = f"reindex-{target.environment}-{arguments.tenant}.json"
    place = ReindexProgress.load_progress(arguments.place or Path(name))
    if not arguments.dry_run:
        require_confirmation(
            arguments,
            f"Read {' and '.join(TABLES)} through and send what {arguments.tenant} has to the index?",
        )
    send = (
        _discard
        if arguments.dry_run
        else partial(_invoke, f"membus-{target.environment}-index", arguments.model)
    )
    dynamodb = aws_client("dynamodb")
    tables = [f"membus-{target.environment}-{table}" for table in TABLES]
    sizes = [dynamodb.describe_table(TableName=table)["Table"]["ItemCount"] for table in tables]
    with _bar(quiet=output.is_quiet) as progress:
        task = progress.add_task(arguments.tenant, total=sum(sizes), completed=place.scanned)
        for items, scanned in _pages(dynamodb, tables, arguments.tenant, place):
            place.kinds.update(reindex(items, send=send))
            place.scanned += scanned
            progress.update(task, completed=place.scanned, total=max(sum(sizes), place.scanned))
            if not arguments.dry_run:
                place.save_progress()
    place.file.unlink(missing_ok=True)
    output.print_rows([{kind: str(place.kinds[kind]) for kind in KINDS}], nothing="")


def reindex(items: Sequence[Item], *, send: Send) -> Counter[str]:
    """Hand what can be searched to the index, as the stream told of it when it was written.

    Return how much of it.

    Raises:
        UnavailableError: some of it did not get in, however often it was sent.
    """
    searched = [item for item in items if kind_of(item)]
    changes = [as_change(item, number) for number, item in enumerate(searched)]
    for batch in _batches(changes):
        _send_batch(batch, send)
    return Counter(kind for item in searched if (kind := kind_of(item)))


def kind_of(item: Item) -> str | None:
    """Return what kind of memory an item is, None for a profile, a version, a state or a message."""
    sk = str(item["sk"]["S"])
    if sk.startswith("FACT#"):
        return "fact"
    if sk == "DOC":
        return "document"
    if sk.startswith("SUMMARY#"):
        return "summary"
    return "episode" if "user_sk" in item else None


def as_change(item: Item, number: int) -> dict[str, Any]:
    keys = {name: item[name] for name in ("pk", "sk")}
    return {
        "eventName": "INSERT",
        "dynamodb": {"Keys": keys, "NewImage": item, "SequenceNumber": str(number)},
    }


def _send_batch(batch: Sequence[dict[str, Any]], send: Send) -> None:
    for _ in range(TRIES):
        failed = set(send(batch))
        batch = [change for change in batch if change["dynamodb"]["SequenceNumber"] in failed]
        if not batch:
            return
    raise UnavailableError(
        f"{len(batch)} items did not get into the index: its log says why; run this again to go on"
    )


def _batches(changes: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    for change in changes:
        weight = len(json.dumps(change).encode())
        if batch and (len(batch) == BATCH_ITEMS or size + weight > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(change)
        size += weight
    if batch:
        yield batch


def _pages(
    dynamodb: Any, tables: Sequence[str], tenant: str, place: ReindexProgress
) -> Iterator[tuple[list[Item], int]]:
    """Yield pages of the tenant's items with how many were read for them, from the place on.

    A page moves it.
    """
    while place.table < len(tables):
        start = {"ExclusiveStartKey": place.after} if place.after else {}
        page = dynamodb.scan(
            TableName=tables[place.table],
            FilterExpression="begins_with(pk, :mine)",
            ExpressionAttributeValues={":mine": {"S": f"T#{tenant}#"}},
            **start,
        )
        place.after = page.get("LastEvaluatedKey")
        place.table += place.after is None
        yield page["Items"], page["ScannedCount"]


def _invoke(function: str, model: str | None, changes: Sequence[dict[str, Any]]) -> Sequence[str]:
    payload = json.dumps({"reindex": {"model": model, "records": list(changes)}}).encode()
    answer = aws_client("lambda", read_timeout_seconds=130).invoke(FunctionName=function, Payload=payload)
    said = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise UnavailableError(f"{function} failed: {said.get('errorMessage', said)}")
    return [str(each["itemIdentifier"]) for each in said["batchItemFailures"]]


def _discard(changes: Sequence[dict[str, Any]]) -> Sequence[str]:  # noqa: ARG001 - a dry run sends nothing
    return []


def _bar(*, quiet: bool) -> Progress:
    columns = (TextColumn("reindex {task.description}"), BarColumn(), TextColumn("{task.completed:,}"))
    return Progress(
        *columns, TimeRemainingColumn(), console=Console(stderr=True), disable=quiet, transient=True
    )
