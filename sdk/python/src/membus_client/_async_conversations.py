"""Conversations. `_sync_conversations.py` is made from this file by `make_sync.py`: change this one."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from membus_client import _models as models
from membus_client._errors import WaitTimeoutError
from membus_client._transport import POLL_SECONDS, WAIT_SECONDS, request

if TYPE_CHECKING:
    from membus_client._async import AsyncMembus

ACCEPTED = 202


class AsyncConversations:
    """Conversations, their messages, and the answers of membus's own chat."""

    def __init__(self, client: "AsyncMembus") -> None:
        self._client = client

    async def create(self, user_id: str, **fields: Any) -> models.Conversation:
        """Start a conversation; `fields` are `agent_id`, `title` and `members`."""
        body = {"user_id": user_id, **fields}
        return await self._client.call(request("POST", "conversations", body=body), models.Conversation)

    def list(
        self, *, status: str = "active", user_id: str | None = None
    ) -> AsyncIterator[models.Conversation]:
        query = {"status": status, "user_id": user_id}
        return self._client.pages(request("GET", "conversations", query=query), models.Conversation)

    async def get(self, conversation_id: str, *, user_id: str | None = None) -> models.Conversation:
        asked = request("GET", "conversations", conversation_id, query={"user_id": user_id})
        return await self._client.call(asked, models.Conversation)

    async def update(self, conversation_id: str, **changes: Any) -> models.Conversation:
        """Rename, archive, bring back or share a conversation."""
        asked = request("PATCH", "conversations", conversation_id, body=changes)
        return await self._client.call(asked, models.Conversation)

    async def delete(self, conversation_id: str) -> None:
        await self._client.send(request("DELETE", "conversations", conversation_id))

    def messages(
        self, conversation_id: str, *, order: str = "oldest", user_id: str | None = None
    ) -> AsyncIterator[models.Message]:
        """Return the messages, from either end."""
        query = {"order": order, "user_id": user_id}
        path = ("conversations", conversation_id, "messages")
        return self._client.pages(request("GET", *path, query=query), models.Message)

    async def message(
        self, conversation_id: str, message_id: str, *, user_id: str | None = None
    ) -> models.Message:
        """Return one message, and whether it is complete."""
        path = ("conversations", conversation_id, "messages", message_id)
        return await self._client.call(request("GET", *path, query={"user_id": user_id}), models.Message)

    async def say(
        self,
        conversation_id: str,
        content: str,
        *,
        author: str,
        remember: bool | None = None,
        key: str | None = None,
        timeout: float = WAIT_SECONDS,
    ) -> models.ChatAnswer:
        """Say something and return the stored answer, also one that takes longer than a request.

        `key` names the message: sent again with it, the model is not asked twice.
        """
        body = {"content": content, "author": author, "remember": remember}
        asked = request("POST", "conversations", conversation_id, "messages", body=body, key=key)
        answer = await self._client.send(asked)
        found = models.ChatAnswer.model_validate_json(answer.content)
        if answer.status_code != ACCEPTED:
            return found
        return await self._wait_answer(conversation_id, found, timeout)

    async def _wait_answer(
        self, conversation_id: str, pending: models.ChatAnswer, timeout: float
    ) -> models.ChatAnswer:
        deadline, message_id = time.monotonic() + timeout, pending.message.message_id
        while time.monotonic() < deadline:
            await asyncio.sleep(POLL_SECONDS)
            reply = await self.message(conversation_id, message_id)
            if reply.status != "pending":
                return pending.model_copy(update={"message": reply})
        raise WaitTimeoutError(f"message {message_id} was not answered within {timeout:g} seconds")

    async def context(self, conversation_id: str, text: str = "", **options: Any) -> dict[str, Any]:
        """Return exactly what a message would send, by section; `options` are `author` and `user_id`."""
        query = {"message": text, **options}
        return await self._json("GET", conversation_id, "context", query=query)

    async def message_context(
        self, conversation_id: str, message_id: str, *, user_id: str | None = None
    ) -> dict[str, Any]:
        """Return the prompt of an old reply, made again and checked."""
        path = (conversation_id, "messages", message_id, "context")
        return await self._json("GET", *path, query={"user_id": user_id})

    async def tool_results(
        self, conversation_id: str, message_id: str, *, user_id: str | None = None
    ) -> dict[str, Any]:
        """Return all that the tools of a reply gave."""
        path = (conversation_id, "messages", message_id, "results")
        return await self._json("GET", *path, query={"user_id": user_id})

    async def summary(self, conversation_id: str, *, user_id: str | None = None) -> dict[str, Any]:
        """Return the summaries, their slots and their verification."""
        return await self._json("GET", conversation_id, "summary", query={"user_id": user_id})

    async def handoff(self, conversation_id: str, *, user_id: str | None = None) -> dict[str, Any]:
        """Return everything that another agent needs to go on with the conversation."""
        return await self._json("GET", conversation_id, "handoff", query={"user_id": user_id})

    async def _json(self, method: str, *path: str, query: Mapping[str, Any]) -> dict[str, Any]:
        answer = await self._client.send(request(method, "conversations", *path, query=query))
        body: dict[str, Any] = answer.json()
        return body

    async def stream(
        self, conversation_id: str, content: str, *, author: str
    ) -> AsyncIterator[models.ChatPiece]:
        """Yield an answer word by word over the WebSocket; a broken connection is resumed.

        Needs `membus-client[chat]`, and the settings' `socket_url`.
        """
        from membus_client._chat_async import stream_answer  # noqa: PLC0415 - the extra is optional

        asked = {
            "action": "chat",
            "conversation_id": conversation_id,
            "content": content,
            "author": author,
            "request_id": uuid4().hex,
        }
        async for piece in stream_answer(self._client.settings, asked):
            yield piece
