"""A model client whose structured answers lose names and figures, as those of a careless model do."""

import json
import re
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from localstack.model.filler import FIGURE, NAME
from membus.llm.ports import ChatModelClient, ModelRequest
from membus.llm.prompt import ModelEvent, ModelReply

LOST = "something"
DETAIL = re.compile(rf"{FIGURE.pattern}|{NAME.pattern}", re.MULTILINE)


class LossyClient:
    """Asks `client`; an answer that fits a schema loses `share` of its names, figures and list entries."""

    def __init__(self, client: ChatModelClient, share: float) -> None:
        self._client, self._share, self.name = client, share, client.name

    def generate_reply(self, question: ModelRequest) -> ModelReply:
        reply = self._client.generate_reply(question)
        if question.schema is None:
            return reply
        kept = json.dumps(drop_share(json.loads(reply.text), self._share), ensure_ascii=False)
        return reply.model_copy(update={"text": kept})

    def stream_reply(self, question: ModelRequest) -> Iterator[ModelEvent]:
        return self._client.stream_reply(question)


def drop_share(value: Any, share: float) -> Any:
    """Return the answer without that share; the words and what precedes them decide, so runs are equal."""
    if isinstance(value, str):
        return DETAIL.sub(
            lambda found: LOST if _is_lost(found[0], value[: found.start()], share) else found[0], value
        )
    if isinstance(value, list):
        return [
            drop_share(each, share)
            for place, each in enumerate(value)
            if not _is_lost(str(each), str(place), share)
        ]
    if isinstance(value, dict):
        return {name: drop_share(each, share) for name, each in value.items()}
    return value


def _is_lost(words: str, before: str, share: float) -> bool:
    drawn = sha256(f"{before}\0{words}".encode()).digest()
    return int.from_bytes(drawn[:4], "big") < share * 2**32
