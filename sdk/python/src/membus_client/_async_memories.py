"""Agents and memories. `_sync_memories.py` is made from this file by `make_sync.py`: change this one."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from membus_client import _models as models
from membus_client._transport import Event, moment_text, request

if TYPE_CHECKING:
    from membus_client._async import AsyncMembus


class AsyncAgent:
    """The episodes and the working memory of one agent."""

    def __init__(self, client: "AsyncMembus", agent_id: str) -> None:
        self._client, self._path = client, ("agents", agent_id)

    def episodes(
        self,
        *,
        since: datetime | str | None = None,
        until: datetime | str | None = None,
        user_id: str | None = None,
        session_id: str | None = None,
    ) -> AsyncIterator[models.Episode]:
        """Return what happened, in the order of time; `RestoreInProgressError` while archived episodes come back."""
        query = {
            "from": moment_text(since),
            "to": moment_text(until),
            "user_id": user_id,
            "session_id": session_id,
        }
        return self._client.pages(request("GET", *self._path, "episodes", query=query), models.Episode)

    async def append(self, episodes: Sequence[Event]) -> models.EventReceipt:
        """Append episodes that can be read at once, and are learned from."""
        asked = request("POST", *self._path, "episodes", body={"episodes": list(episodes)})
        return await self._client.call(asked, models.EventReceipt)

    def sessions(self) -> AsyncIterator[models.StateInfo]:
        """Return the sessions that have a state."""
        return self._client.pages(request("GET", *self._path, "sessions"), models.StateInfo)

    async def get_state(self, session_id: str) -> models.State:
        return await self._client.call(request("GET", *self._state_path(session_id)), models.State)

    async def put_state(
        self,
        session_id: str,
        data: Mapping[str, Any],
        *,
        expected_version: int | None = None,
        ttl_seconds: int | None = None,
        user_id: str | None = None,
    ) -> models.State:
        """Replace the state of a session; `ConflictError` where another writer was faster."""
        body = {
            "data": dict(data),
            "expected_version": expected_version,
            "ttl_seconds": ttl_seconds,
            "user_id": user_id,
        }
        return await self._client.call(request("PUT", *self._state_path(session_id), body=body), models.State)

    async def delete_state(self, session_id: str, *, expected_version: int | None = None) -> None:
        await self._client.send(request("DELETE", *self._state_path(session_id), if_match=expected_version))

    def _state_path(self, session_id: str) -> tuple[str, ...]:
        return (*self._path, "sessions", session_id, "state")


class AsyncMemories:
    """Texts that an application puts into memory itself."""

    def __init__(self, client: "AsyncMembus") -> None:
        self._client = client

    def list(
        self,
        *,
        user_id: str | None = None,
        agent_id: str | None = None,
        filters: Mapping[str, Any] | None = None,
    ) -> AsyncIterator[models.Memory]:
        """Return the texts, the newest first."""
        query = {"user_id": user_id, "agent_id": agent_id, "filters": dict(filters) if filters else None}
        return self._client.pages(request("GET", "memories", query=query), models.Memory)

    async def add(self, items: Sequence[Mapping[str, Any]]) -> Sequence[models.MemoryReceipt]:
        """Put up to 100 texts into memory: `{"text": …, "user_id"?, "agent_id"?, "metadata"?, "expires_at"?}`."""
        answer = await self._client.send(request("POST", "memories", body={"items": list(items)}))
        return [models.MemoryReceipt.model_validate(each) for each in answer.json()["items"]]

    async def get(self, memory_id: str) -> models.Memory:
        return await self._client.call(request("GET", "memories", memory_id), models.Memory)

    async def update(self, memory_id: str, **changes: Any) -> models.Memory:
        """Change the text, its metadata or its end; an `expires_at` of None lifts the end."""
        asked = replace(request("PATCH", "memories", memory_id), body=changes)
        return await self._client.call(asked, models.Memory)

    async def delete(self, memory_id: str) -> None:
        await self._client.send(request("DELETE", "memories", memory_id))
