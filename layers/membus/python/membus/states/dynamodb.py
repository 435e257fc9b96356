"""Working memory in DynamoDB: one item for each session of an agent, its document as JSON in `body`.

A document above 32 KB lies in the content store, `spilled` names it. Its key is made of the write's own id,
so that a write that loses its race has touched nothing, and `write_id` tells a repeated request that it won
the first time. A note in the user's partition, kept as long, says whose a state is.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from membus.aws.dynamodb.errors import conflicting_item
from membus.aws.dynamodb.keys import ItemKey, agent_pk, user_pk
from membus.aws.dynamodb.table import PRESENT, DynamoTable, Item, delete_item, put_item, update_item, within
from membus.core.blobs import BlobStore, discard_text, is_large_text
from membus.core.clock import Clock
from membus.core.errors import ConflictError, NotFoundError, UnavailableError
from membus.core.identity import Owner
from membus.core.pages import Page
from membus.states.model import AgentSession, State, StateInfo

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.service_resource import Table

STATE_PREFIX = "STATE#"
READ_ATTEMPTS = 3
"""A document may be replaced, and removed, between reading its item and following the pointer."""
EXPIRED_CONDITION, LIVE_CONDITION = "expires_at <= :now", "expires_at > :now"


def session_prefix(session: AgentSession) -> str:
    """Return where a session's large documents lie, those of lost writes too."""
    name = hashlib.sha256(f"{session.agent}\n{session.session_id}".encode()).hexdigest()[:40]
    return f"states/{session.tenant}/{name}/"


def state_key(session: AgentSession) -> ItemKey:
    return {
        "pk": agent_pk(session.tenant, session.agent),
        "sk": f"{STATE_PREFIX}{session.session_id}",
    }


def sessions_of_user(owner: Owner, items: Iterable[Item]) -> Iterator[AgentSession]:
    """Yield the sessions that a user's own items name."""
    for item in items:
        if str(item["sk"]).startswith(STATE_PREFIX):
            _, agent, session_id = str(item["sk"]).split("#")
            yield AgentSession(tenant=owner.tenant, agent=agent, session_id=session_id)


@dataclass(frozen=True)
class _WriteAttempt:
    """A condition on what is there, what the version becomes, and the values that both name."""

    condition: str
    version: str
    values: dict[str, int]


_START = _WriteAttempt(f"attribute_not_exists(pk) OR {EXPIRED_CONDITION}", ":one", {})
_OVERWRITE = (
    _WriteAttempt(
        f"attribute_not_exists(pk) OR {LIVE_CONDITION}", "if_not_exists(version, :none) + :one", {":none": 0}
    ),
    _WriteAttempt(EXPIRED_CONDITION, ":one", {}),
)
"""One request, and a second one where an expired item is still in the way."""


class DynamoStates:
    def __init__(self, table: "Table", contents: BlobStore, clock: Clock) -> None:
        self._table, self._contents, self._clock = DynamoTable(table), contents, clock

    def get_state(self, session: AgentSession) -> State:
        for _ in range(READ_ATTEMPTS):
            item = self._table.get(state_key(session), doing="reading a state")
            if item is None or not self._is_live(item):
                raise NotFoundError("no such state")
            text = self._contents.get_text(item["spilled"]) if "spilled" in item else item["body"]
            if text is not None:
                read = {"version": int(item["version"]), "user_id": item.get("user_id")}
                return State(data=json.loads(text), expires_at=_expiry(item), **read)
        raise UnavailableError("the document of this state cannot be found")

    def put_state(
        self,
        session: AgentSession,
        data: dict[str, Any],
        *,
        expires_at: datetime,
        expected_version: int | None,
        user: str | None = None,
    ) -> State:
        """A note of whose it is comes first: one too many names nothing, one too few would hide a state."""
        if user:
            self._put_note(session, user, expires_at)
        write_id = uuid4().hex
        held = self._held(session, json.dumps(data, ensure_ascii=False, separators=(",", ":")), write_id)
        values: Item = {**held, "write_id": write_id, "expires_at": int(expires_at.timestamp())}
        values |= {"user_id": user} if user else {}
        try:
            version, before = self._replace(session, values, expected_version)
        except ConflictError:
            discard_text(self._contents, held.get("spilled"))
            raise
        if before and not user:
            self._put_note(session, before, expires_at)  # it lives longer now, and so must the note
        return State(data=data, version=version, expires_at=_expiry(values), user_id=user or before)

    def delete_state(self, session: AgentSession, *, expected_version: int | None) -> None:
        condition, values = f"{PRESENT} AND {LIVE_CONDITION}", {":now": self._seconds()}
        if expected_version is not None:
            condition, values = f"{condition} AND version = :read", values | {":read": expected_version}
        deletion = delete_item(state_key(session), condition, values)
        try:
            gone = self._table.write(deletion, doing="deleting a state", returns="ALL_OLD")
        except ConflictError as lost:
            version = self._version(conflicting_item(lost))
            if not version:
                raise NotFoundError("no such state") from lost
            raise ConflictError("the state is at another version", version=version) from lost
        discard_text(self._contents, gone.get("spilled"))

    def list_states(
        self, tenant: str, agent: str, *, limit: int, after: dict[str, str] | None
    ) -> Page[StateInfo]:
        found = self._table.query_page(
            within(agent_pk(tenant, agent), STATE_PREFIX),
            doing="listing states",
            limit=limit,
            after=after,
            ProjectionExpression="sk, version, expires_at, user_id",
        )
        return Page(tuple(_state_info(item) for item in found.items if self._is_live(item)), found.after)

    def _put_note(self, session: AgentSession, user: str, expires_at: datetime) -> None:
        note = {
            "pk": user_pk(Owner(tenant=session.tenant, user=user)),
            "sk": f"{STATE_PREFIX}{session.agent}#{session.session_id}",
            "expires_at": int(expires_at.timestamp()),
        }
        self._table.write(put_item(note), doing="writing a state")

    def _replace(
        self, session: AgentSession, values: Item, expected_version: int | None
    ) -> tuple[int, str | None]:
        """Write the item and remove its former large text; return its version and whose it was before."""
        version = 0
        for attempt in _attempts(expected_version):
            try:
                replaced = self._update(session, values, attempt)
            except ConflictError as lost:
                found = conflicting_item(lost)
                if found and found["write_id"] == values["write_id"]:
                    return int(found["version"]), found.get("user_id")
                version = self._version(found)
                continue
            if replaced.get("spilled") != values.get("spilled"):
                discard_text(self._contents, replaced.get("spilled"))
            if attempt.version == ":one":
                return 1, None
            return int(replaced.get("version", 0)) + 1, replaced.get("user_id")
        raise ConflictError("the state is at another version", version=version)

    def _update(self, session: AgentSession, values: Item, attempt: _WriteAttempt) -> Item:
        """Return what the item held before."""
        sets = ", ".join([*(f"{name} = :{name}" for name in values), f"version = {attempt.version}"])
        other = "body" if "spilled" in values else "spilled"
        if attempt.version == ":one" and "user_id" not in values:
            other += ", user_id"  # of a state whose time has passed
        update = update_item(
            state_key(session),
            f"SET {sets} REMOVE {other}",
            attempt.condition,
            {
                **{f":{name}": value for name, value in values.items()},
                **attempt.values,
                ":one": 1,
                ":now": self._seconds(),
            },
        )
        return self._table.write(update, doing="writing a state", returns="ALL_OLD")

    def _held(self, session: AgentSession, text: str, write_id: str) -> dict[str, str]:
        """Return the attribute that holds the document, or points to it once it is safely kept elsewhere."""
        if not is_large_text(text):
            return {"body": text}
        key = f"{session_prefix(session)}{write_id}"
        self._contents.put_text(key, text)
        return {"spilled": key}

    def _is_live(self, item: Item) -> bool:
        return int(item["expires_at"]) > self._seconds()

    def _version(self, item: Item | None) -> int:
        return int(item["version"]) if item and self._is_live(item) else 0

    def _seconds(self) -> int:
        return int(self._clock().timestamp())


def _attempts(expected_version: int | None) -> Sequence[_WriteAttempt]:
    if expected_version is None:
        return _OVERWRITE * 2
    if expected_version == 0:
        return (_START,)
    return (
        _WriteAttempt(f"version = :read AND {LIVE_CONDITION}", "version + :one", {":read": expected_version}),
    )


def _expiry(item: Item) -> datetime:
    return datetime.fromtimestamp(int(item["expires_at"]), UTC)


def _state_info(item: Item) -> StateInfo:
    return StateInfo(
        session_id=str(item["sk"]).removeprefix(STATE_PREFIX),
        version=int(item["version"]),
        expires_at=_expiry(item),
        user_id=item.get("user_id"),
    )
