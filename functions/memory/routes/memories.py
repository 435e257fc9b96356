"""`/v1/memories`: texts that a client puts into memory itself."""

from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter

from functions.memory.memories import Library
from functions.memory.memories_api import MemoriesOut, MemoryBatch, MemoryOut, MemoryPage, MemoryPatch
from functions.memory.memories_listed import list_memories, listed
from functions.memory.once import once, settings
from functions.memory.routes.etags import IfMatch, expected_version, tagged
from functions.memory.routes.parameters import READ, WRITE, Cursor, Limit, RequestKey, required
from functions.memory.routes.walls import unseen
from membus import wiring, wiring_erasing, wiring_search
from membus.domain import strict_json
from membus.domain.filters import read_filter
from membus.domain.identity import Id, Owner
from membus.erasing import show
from membus.errors import InvalidError
from membus.http import caller

router = APIGatewayHttpRouter()
MemoryId = Annotated[Id, Path()]
MEMORY = "/v1/memories/<memory>"


@router.post("/v1/memories", summary="Put texts into memory", status_code=HTTPStatus.CREATED, **WRITE)
def post_memories(batch: Annotated[MemoryBatch, Body()], key: RequestKey = None) -> MemoriesOut:
    put = once("memories.create", _put, store=wiring.idempotency(), config=settings(router.lambda_context))
    body = batch.model_dump(mode="json")
    return MemoriesOut.model_validate(
        put({"tenant": caller(router).tenant, "key": required(key), "body": body})
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
    within = listed(
        caller(router).tenant,
        user_id,
        agent_id,
        read_filter(_json(filters)),
        wiring.now(),
        hidden=unseen(router),
    )
    return list_memories(
        within,
        limit=limit,
        cursor=cursor,
        index=wiring_search.memory_index(),
        documents=wiring_search.documents(),
        sealer=wiring.sealer(),
    )


@router.get(MEMORY, summary="One text", **READ)
def get_memory(memory: MemoryId) -> Response[MemoryOut]:
    found = wiring_search.documents().document(caller(router).tenant, memory)
    if found.user_id:
        show(found.user_id, unseen(router))
    return tagged(MemoryOut.of(found), found.version)


@router.patch(MEMORY, summary="Change a text, its metadata or its end", **WRITE)
def patch_memory(
    memory: MemoryId, change: Annotated[MemoryPatch, Body()], if_match: IfMatch = None
) -> Response[MemoryOut]:
    expected = expected_version(change.expected_version, if_match)
    known = wiring_search.documents().document(caller(router).tenant, memory)
    if known.user_id:
        show(known.user_id, unseen(router))
    changed = _library().patch(caller(router).tenant, memory, change, expected_version=expected)
    return tagged(MemoryOut.of(changed), changed.version)


@router.delete(MEMORY, summary="Remove a text", status_code=HTTPStatus.NO_CONTENT, **WRITE)
def delete_memory(memory: MemoryId, if_match: IfMatch = None) -> Response[None]:
    _library().delete(caller(router).tenant, memory, expected_version=expected_version(None, if_match))
    return Response(HTTPStatus.NO_CONTENT)


def _put(request: dict[str, Any]) -> dict[str, Any]:
    batch = MemoryBatch.model_validate(request["body"])
    for user in {item.user_id for item in batch.items if item.user_id}:
        wiring_erasing.gate().admit(Owner(tenant=request["tenant"], user=user))
    return MemoriesOut(items=_library().put(request["tenant"], batch.items)).model_dump(mode="json")


def _library() -> Library:
    return Library(
        documents=wiring_search.documents(),
        index=wiring_search.memory_index(),
        indexer=wiring_search.indexer(),
        clock=wiring.now,
    )


def _json(text: str | None) -> dict[str, Any] | None:
    tree = None if text is None else strict_json.loads(text)
    if tree is not None and not isinstance(tree, dict):
        raise InvalidError("filters: a filter is an object", code="bad_filter")
    return tree
