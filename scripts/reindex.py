"""`reindex`: build a tenant's search index anew from DynamoDB, with the model in use or another one."""

import json
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from membus.aws.clients import aws_client
from membus.aws.dynamodb.keys import item_kind, tenant_pk
from membus.core.errors import UnavailableError
from scripts.batches import split_batches
from scripts.command import TENANT, command, option, require_confirmation
from scripts.output import Output
from scripts.target import Target, invoke_function

TABLES = ("memory", "conversations")
BATCH_ITEMS, BATCH_BYTES = 50, 3_000_000  # an invocation takes 6 MB and has two minutes
TRIES = 5
KINDS = ("fact", "episode", "document", "summary")
Item = Mapping[str, Any]
Send = Callable[[Sequence[dict[str, Any]]], Sequence[str]]
"""Sends changes to the function `index`; returns the sequence numbers of those that failed."""


@dataclass
class ReindexProgress:
    """How far a run has come; saved after every page, so that an interrupted run can continue."""

    file: Path
    table: int = 0
    after: Item | None = None
    kinds: Counter[str] = field(default_factory=Counter)
    scanned: int = 0

    @classmethod
    def load_progress(cls, file: Path) -> "ReindexProgress":
        if not file.exists():
            return cls(file)
        saved = json.loads(file.read_text(encoding="utf-8"))
        return cls(file, **saved | {"kinds": Counter(saved["kinds"])})

    def save_progress(self) -> None:
        fields = {name: value for name, value in vars(self).items() if name != "file"}
        self.file.write_text(json.dumps(fields), encoding="utf-8")


@command(
    "reindex",
    "build a tenant's search index anew",
    TENANT,
    option("--model", help="an embedding model beside the one in use (default: the one in use)"),
    option("--place", type=Path, metavar="FILE", help="where to save how far it has come"),
    asks=True,
    examples=["reindex --tenant acme --dry-run", "reindex --tenant acme --model cohere.embed-v4 --yes"],
    description="Reads the tables `memory` and `conversations` once through: half a read unit for each 4 "
    "KB in them, of all tenants. Texts that have a vector keep it. Run it again to continue an interrupted "
    "run.",
)
def run(arguments: Namespace, target: Target, output: Output) -> None:
    tenant = target.get_tenant(arguments.tenant).tenant_id
    progress = ReindexProgress.load_progress(
        arguments.place or Path(f"reindex-{target.environment}-{tenant}.json")
    )
    send: Send = _discard
    if not arguments.dry_run:
        question = f"Read the tables {' and '.join(TABLES)} and send what {tenant} has to the index?"
        require_confirmation(arguments, question)
        send = partial(_index, target.environment, arguments.model)
    dynamodb = aws_client("dynamodb")
    tables = [f"membus-{target.environment}-{table}" for table in TABLES]
    size = sum(dynamodb.describe_table(TableName=table)["Table"]["ItemCount"] for table in tables)
    with output.progress_bar() as bar:
        task = bar.add_task(f"reindex {tenant}", total=size, completed=progress.scanned)
        for items, scanned in _scan(dynamodb, tables, tenant, progress):
            progress.kinds.update(reindex(items, send=send))
            progress.scanned += scanned
            bar.update(task, completed=progress.scanned, total=max(size, progress.scanned))
            if not arguments.dry_run:
                progress.save_progress()
    progress.file.unlink(missing_ok=True)
    output.print_rows([{kind: str(progress.kinds[kind]) for kind in KINDS}])


def reindex(items: Sequence[Item], *, send: Send) -> Counter[str]:
    """Send the searchable items to the index, as the table's stream sent them; return their number by kind.

    Raises:
        UnavailableError: some of them failed at every try.
    """
    found = [(kind, item) for item in items if (kind := item_kind(item["pk"]["S"], item["sk"]["S"]))]
    changes = [as_change(item, number) for number, (_, item) in enumerate(found)]
    for batch in split_batches(changes, count=BATCH_ITEMS, size_bytes=BATCH_BYTES):
        _send_batch(batch, send)
    return Counter(kind for kind, _ in found)


def as_change(item: Item, number: int) -> dict[str, Any]:
    """Return the record by which a stream would announce the item."""
    keys = {name: item[name] for name in ("pk", "sk")}
    change = {"Keys": keys, "NewImage": item, "SequenceNumber": str(number)}
    return {"eventName": "INSERT", "dynamodb": change}


def _send_batch(batch: Sequence[dict[str, Any]], send: Send) -> None:
    for _ in range(TRIES):
        failed = set(send(batch))
        batch = [change for change in batch if change["dynamodb"]["SequenceNumber"] in failed]
        if not batch:
            return
    raise UnavailableError(
        f"{len(batch)} items were not indexed: the log of `index` says why; run this again to continue"
    )


def _scan(
    dynamodb: Any, tables: Sequence[str], tenant: str, progress: ReindexProgress
) -> Iterator[tuple[list[Item], int]]:
    """Yield the tenant's items by the page, with the number of items read for it; moves `progress`."""
    while progress.table < len(tables):
        start = {"ExclusiveStartKey": progress.after} if progress.after else {}
        page = dynamodb.scan(
            TableName=tables[progress.table],
            FilterExpression="begins_with(pk, :tenant)",
            ExpressionAttributeValues={":tenant": {"S": f"{tenant_pk(tenant)}#"}},
            **start,
        )
        progress.after = page.get("LastEvaluatedKey")
        progress.table += progress.after is None
        yield page["Items"], page["ScannedCount"]


def _index(environment: str, model: str | None, changes: Sequence[dict[str, Any]]) -> Sequence[str]:
    payload = {"reindex": {"model": model, "records": list(changes)}}
    answer = invoke_function(environment, "index", payload, read_timeout_seconds=130)
    return [str(each["itemIdentifier"]) for each in answer["batchItemFailures"]]


def _discard(changes: Sequence[dict[str, Any]]) -> Sequence[str]:  # noqa: ARG001 - a dry run sends nothing
    return []
