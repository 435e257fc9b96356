"""`/v1/memories`: texts that a client puts into memory itself."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from functions.api.etags import IfMatch, expected_version, with_etag
from functions.api.idempotency import idempotency_config, idempotent
from functions.api.memories.schemas import MemoriesOut, MemoryBatch, MemoryOut, MemoryPage, MemoryPatch
from functions.api.memories.usecase import DocumentLibrary, documents_scope, list_memories
from functions.api.middleware import load_hidden
from functions.api.parameters import READ, WRITE, Cursor, Limit, RequestKey, require_idempotency_key
from functions.api.router import ApiRouter
from membus.core import strict_json
from membus.core.errors import InvalidError
from membus.core.identity import Id, Owner
from membus.erasure.guard import ensure_visible
from membus.http import get_caller
from membus.search.filters import parse_filter

router = ApiRouter()
MemoryId = Annotated[Id, Path()]
MEMORY = "/v1/memories/<memory>"


@router.post("/v1/memories", summary="Put texts into memory", status_code=HTTPStatus.CREATED, **WRITE)
def post_memories(batch: Annotated[MemoryBatch, Body()], key: RequestKey = None) -> MemoriesOut:
    put = idempotent(
        "memories.create",
        _put,
        store=router.container.idempotency,
        config=idempotency_config(router.lambda_context),
    )
    body = batch.model_dump(mode="json")
    return MemoriesOut.model_validate(
        put({"tenant": get_caller(router).tenant, "key": require_idempotency_key(key), "body": body})
    )


@router.get("/v1/memories", summary="The texts put into memory, newest first", **READ)
def get_memories(
    *,
    user_id: Annotated[Id | None, Query()] = None,
    agent_id: Annotated[Id | None, Query()] = None,
    filters: Annotated[
        str | None, Query(max_length=4096, description="a filter on metadata, as JSON")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> MemoryPage:
    within = documents_scope(
        get_caller(router).tenant,
        user_id,
        agent_id,
        parse_filter(_json(filters)),
        router.container.clock(),
        hidden=load_hidden(router),
    )
    return list_memories(
        within,
        limit=limit,
        cursor=cursor,
        index=router.container.search.index,
        documents=router.container.search.documents,
        sealer=router.container.cursor_signer,
    )


@router.get(MEMORY, summary="One text", **READ)
def get_memory(memory: MemoryId) -> Response[MemoryOut]:
    found = router.container.search.documents.get_document(get_caller(router).tenant, memory)
    if found.user_id:
        ensure_visible(found.user_id, load_hidden(router))
    return with_etag(MemoryOut.from_document(found), found.version)


@router.patch(MEMORY, summary="Change a text, its metadata or its end", **WRITE)
def patch_memory(
    memory: MemoryId, change: Annotated[MemoryPatch, Body()], if_match: IfMatch = None
) -> Response[MemoryOut]:
    expected = expected_version(change.expected_version, if_match)
    known = router.container.search.documents.get_document(get_caller(router).tenant, memory)
    if known.user_id:
        ensure_visible(known.user_id, load_hidden(router))
    changed = _library().patch_memory(get_caller(router).tenant, memory, change, expected_version=expected)
    return with_etag(MemoryOut.from_document(changed), changed.version)


@router.delete(MEMORY, summary="Remove a text", status_code=HTTPStatus.NO_CONTENT, **WRITE)
def delete_memory(memory: MemoryId, if_match: IfMatch = None) -> Response[None]:
    _library().delete_memory(
        get_caller(router).tenant, memory, expected_version=expected_version(None, if_match)
    )
    return Response(HTTPStatus.NO_CONTENT)


def _put(request: dict[str, Any]) -> dict[str, Any]:
    batch = MemoryBatch.model_validate(request["body"])
    for user in {item.user_id for item in batch.items if item.user_id}:
        router.container.erasure.guard.ensure_writable(Owner(tenant=request["tenant"], user=user))
    return MemoriesOut(items=_library().put_memories(request["tenant"], batch.items)).model_dump(mode="json")


def _library() -> DocumentLibrary:
    return DocumentLibrary(
        documents=router.container.search.documents,
        index=router.container.search.index,
        indexer=router.container.search.indexer,
        clock=router.container.clock,
    )


def _json(text: str | None) -> dict[str, Any] | None:
    tree = None if text is None else strict_json.parse_strict_json(text)
    if tree is not None and not isinstance(tree, dict):
        raise InvalidError("filters: a filter is an object", code="bad_filter")
    return tree
