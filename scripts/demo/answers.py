"""What the API answers, as far as the demo reads it; fields it does not know are let pass."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class ApiModel(BaseModel):
    model_config = ConfigDict(frozen=True)


class ApiAcceptedEvent(ApiModel):
    index: int
    event_id: str


class ApiRejectedEvent(ApiModel):
    index: int
    code: str
    detail: str


class ApiReceipt(ApiModel):
    accepted: tuple[ApiAcceptedEvent, ...] = ()
    rejected: tuple[ApiRejectedEvent, ...] = ()


class ApiProvenance(ApiModel):
    event_id: str
    event_type: str
    quote: str | None = None
    rule: str | None = None
    model: str | None = None


class ApiFact(ApiModel):
    key: str
    value: str
    kind: str
    trust: str
    valid_from: datetime
    replaced: str | None = None
    provenance: ApiProvenance


class ApiProfile(ApiModel):
    version: int
    facts: tuple[ApiFact, ...] = ()


class ApiFactPage(ApiModel):
    items: tuple[ApiFact, ...] = ()
    next_cursor: str | None = None


class ApiConversation(ApiModel):
    conversation_id: str


class ApiSection(ApiModel):
    name: str
    tokens: int


class ApiContext(ApiModel):
    """Exactly what a turn would send, by section; tokens are estimates."""

    sections: tuple[ApiSection, ...]
    budget: int
    total_tokens: int
    facts: tuple[str, ...] = ()


class ApiMessage(ApiModel):
    content: str


class ApiUsage(ApiModel):
    """Tokens as the model's provider counted them; `input` leaves out what its cache held or took in."""

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0

    @property
    def sent(self) -> int:
        return self.input + self.cache_read + self.cache_write


class ApiReply(ApiModel):
    message: ApiMessage
    usage: ApiUsage
