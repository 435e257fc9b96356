"""`/v1/users/{user}`: what is known about a user, and why; what people set right by hand."""

import time
from http import HTTPStatus
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query
from pydantic import AfterValidator

from functions.api.etags import (
    IfMatch,
    IfNoneMatch,
    ensure_modified,
    etag_responses,
    expected_version,
    parse_if_match,
    with_etag,
)
from functions.api.facts import usecase
from functions.api.facts.corrections import (
    CorrectionResult,
    FactChange,
    correct_fact,
    correction_event_id,
    put_facts,
)
from functions.api.facts.schemas import (
    ExplainedFact,
    FactBatch,
    FactHistory,
    FactIn,
    FactPage,
    FactResults,
    ProfileOut,
)
from functions.api.idempotency import idempotency_config, idempotent
from functions.api.parameters import (
    READ,
    WRITE,
    Cursor,
    Limit,
    MomentParameter,
    RequestKey,
    User,
    require_idempotency_key,
)
from functions.api.router import ApiRouter
from membus.core.identity import Owner
from membus.facts.attributes import FactKey, canonical_key
from membus.facts.corrections import CorrectedKey, Correction
from membus.facts.fact import Fact
from membus.facts.observation import FactKind
from membus.http import get_caller

router = ApiRouter()
Key = Annotated[FactKey, AfterValidator(canonical_key), Path(examples=["home.city"])]
WrittenKey = Annotated[CorrectedKey, Path(examples=["home.city"])]
FACT = "/v1/users/<user>/facts/<key>"


@router.get(
    "/v1/users/<user>/profile",
    summary="What is known about a user, compact",
    responses=etag_responses(ProfileOut),
    **READ,
)
def get_profile(
    user: User, as_of: MomentParameter = None, if_none_match: IfNoneMatch = None
) -> Response[ProfileOut]:
    profile = usecase.read_profile(
        _owner(user), as_of, now=router.container.clock(), facts=router.container.facts.store
    )
    return ensure_modified(with_etag(profile, profile.version), if_none_match)


@router.get("/v1/users/<user>/facts", summary="The facts about a user", **READ)
def get_facts(
    *,
    user: User,
    kind: Annotated[FactKind | None, Query()] = None,
    as_of: MomentParameter = None,
    known_at: MomentParameter = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> FactPage:
    if as_of or known_at:
        return usecase.list_facts_as_of(
            _owner(user),
            usecase.AsOf(as_of, known_at),
            kind=kind,
            limit=limit,
            cursor=cursor,
            facts=router.container.facts.store,
            sealer=router.container.cursor_signer,
        )
    return usecase.list_facts(
        _owner(user),
        kind=kind,
        limit=limit,
        cursor=cursor,
        now=router.container.clock(),
        facts=router.container.facts.store,
        sealer=router.container.cursor_signer,
    )


@router.get(FACT, summary="One fact, and why it is believed", responses=etag_responses(ExplainedFact), **READ)
def get_fact(
    *, user: User, key: Key, explain: Annotated[bool, Query()] = False, if_none_match: IfNoneMatch = None
) -> Response[ExplainedFact]:
    owner, known, now = _owner(user), router.container.facts.store, router.container.clock()
    fact, revision = (
        usecase.explain_fact(owner, key, now=now, facts=known, traces=router.container.episodes.traces)
        if explain
        else usecase.read_fact(owner, key, now=now, facts=known)
    )
    return ensure_modified(with_etag(fact, revision), if_none_match)


@router.put(FACT, summary="Set a fact by hand: it outranks whatever is read in events", **WRITE)
def put_fact(
    *,
    user: User,
    key: WrittenKey,
    asked: Annotated[FactIn, Body()],
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
    request_key: RequestKey = None,
) -> Response[Fact]:
    correction = Correction(key=key, value=asked.value, kind=asked.kind, valid_from=asked.valid_from)
    version = expected_version(asked.expected_version, None, if_none_match)
    done = _correct(_owner(user), correction, request_key, version=version, revision=parse_if_match(if_match))
    return with_etag(done.fact, done.revision)


@router.delete(FACT, summary="Take a fact back by hand", status_code=HTTPStatus.NO_CONTENT, **WRITE)
def delete_fact(
    *, user: User, key: WrittenKey, if_match: IfMatch = None, request_key: RequestKey = None
) -> Response[None]:
    _correct(_owner(user), Correction(key=key), request_key, revision=parse_if_match(if_match))
    return Response(HTTPStatus.NO_CONTENT)


@router.post("/v1/users/<user>/facts:batch", summary="Set many facts by hand, each on its own", **WRITE)
def post_facts(user: User, batch: Annotated[FactBatch, Body()], key: RequestKey = None) -> FactResults:
    put = idempotent(
        "facts.batch",
        _put_facts,
        store=router.container.idempotency,
        config=idempotency_config(router.lambda_context),
        natural=True,
    )
    body = {"user": user} | batch.model_dump(mode="json")
    return FactResults.model_validate(
        put({"tenant": get_caller(router).tenant, "key": require_idempotency_key(key), "body": body})
    )


@router.get(f"{FACT}/history", summary="Every version of a fact and what caused it", **READ)
def get_history(user: User, key: Key, limit: Limit = 50, cursor: Cursor = None) -> FactHistory:
    return usecase.read_history(
        _owner(user),
        key,
        limit=limit,
        cursor=cursor,
        facts=router.container.facts.store,
        sealer=router.container.cursor_signer,
    )


def _owner(user: str) -> Owner:
    return Owner(tenant=get_caller(router).tenant, user=user)


def _correct(
    owner: Owner,
    correction: Correction,
    request_key: str | None,
    *,
    version: int | None = None,
    revision: int | None,
) -> CorrectionResult:
    place = "DELETE" if correction.value is None else "PUT"
    event_id = correction_event_id(owner, correction.key, request_key, place=place)
    change = FactChange(correction, event_id, expected_version=version, expected_revision=revision)
    return correct_fact(
        owner, change, now=router.container.clock(), facts=router.container.facts.store, pause=time.sleep
    )


def _put_facts(request: dict[str, Any]) -> dict[str, Any]:
    body = request["body"]
    results = put_facts(
        Owner(tenant=request["tenant"], user=body["user"]),
        body["facts"],
        request_key=request["key"],
        now=router.container.clock(),
        facts=router.container.facts.store,
        pause=time.sleep,
    )
    return results.model_dump(mode="json")
