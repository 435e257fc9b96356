"""`/v1/memories`: documents, the texts that a client puts into memory itself."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from functions.api.etags import IfMatch, expected_version, with_etag
from functions.api.memories.schemas import MemoryBatch, MemoryOut, MemoryPage, MemoryPatch, MemoryReceipts
from functions.api.memories.usecase import DocumentLibrary, list_memories
from functions.api.parameters import (
    READ,
    WRITE,
    Cursor,
    Limit,
    PathId,
    RequestKey,
    require_idempotency_key,
)
from functions.api.router import ApiRouter
from membus.core import strict_json
from membus.core.errors import InvalidError
from membus.core.identity import Id
from membus.search.filters import parse_filter
from membus.search.model import memory_scope
from membus.search.retrieval import SearchScope

router = ApiRouter()
MEMORY = "/v1/memories/<memory>"


@router.post("/v1/memories", summary="Put texts into memory", status_code=HTTPStatus.CREATED, **WRITE)
def post_memories(batch: Annotated[MemoryBatch, Body()], key: RequestKey = None) -> MemoryReceipts:
    def put_memories() -> MemoryReceipts:
        router.check_writable(*{item.user_id for item in batch.items})
        return MemoryReceipts(items=_library().put_memories(router.tenant, batch.items))

    return router.run_once(
        "memories.create",
        put_memories,
        MemoryReceipts,
        key=require_idempotency_key(key),
        body=batch.model_dump(mode="json"),
    )


@router.get("/v1/memories", summary="The texts put into memory, newest first", **READ)
def get_memories(
    *,
    user_id: Annotated[Id | None, Query(description="texts about this user alone")] = None,
    agent_id: Annotated[Id | None, Query(description="texts of this agent alone")] = None,
    filters: Annotated[
        str | None, Query(max_length=4096, description="a filter on metadata, as JSON")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> MemoryPage:
    scope = SearchScope(
        tenant_id=router.tenant,
        now=router.container.clock(),
        scope=memory_scope(user_id, None) if user_id else None,
        agent_id=agent_id,
        kinds=("document",),
        filter=parse_filter(_parse_object(filters)),
        without=router.hidden.users,
    )
    search = router.container.search
    return list_memories(
        scope, page=router.get_page(limit, cursor), index=search.index, documents=search.documents
    )


@router.get(MEMORY, summary="One text", **READ)
def get_memory(memory: PathId) -> Response[MemoryOut]:
    document = router.container.search.documents.get_document(router.tenant, memory)
    router.check_visible(document.user_id)
    return with_etag(MemoryOut.from_document(document), document.version)


@router.patch(MEMORY, summary="Change a text, its metadata or its end", **WRITE)
def patch_memory(
    memory: PathId, change: Annotated[MemoryPatch, Body()], if_match: IfMatch = None
) -> Response[MemoryOut]:
    expected = expected_version(change.expected_version, if_match)
    known = router.container.search.documents.get_document(router.tenant, memory)
    router.check_visible(known.user_id)
    changed = _library().patch_memory(router.tenant, memory, change, expected_version=expected)
    return with_etag(MemoryOut.from_document(changed), changed.version)


@router.delete(MEMORY, summary="Remove a text", status_code=HTTPStatus.NO_CONTENT, **WRITE)
def delete_memory(memory: PathId, if_match: IfMatch = None) -> Response[None]:
    _library().delete_memory(router.tenant, memory, expected_version=expected_version(None, if_match))
    return Response(HTTPStatus.NO_CONTENT)


def _library() -> DocumentLibrary:
    search = router.container.search
    return DocumentLibrary(search.documents, search.index, search.indexer, router.container.clock)


def _parse_object(text: str | None) -> dict[str, Any] | None:
    tree = None if text is None else strict_json.parse_strict_json(text)
    if tree is not None and not isinstance(tree, dict):
        raise InvalidError("filters: a filter is an object", code="bad_filter")
    return tree
