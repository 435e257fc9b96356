"""`/v1/users/{user}`: profile and facts of a user, their history, and corrections by a person."""

from http import HTTPStatus
from typing import Annotated

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
    correction_of,
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
from functions.api.jobs.schemas import ErasureJobOut
from functions.api.parameters import (
    PURGE_RESPONSES,
    READ,
    WRITE,
    AsOf,
    Cursor,
    DryRun,
    KnownAt,
    Limit,
    PathId,
    Purge,
    RequestKey,
    require_idempotency_key,
)
from functions.api.purge.schemas import PurgePreview
from functions.api.purge.usecase import find_evidence_events
from functions.api.router import ApiRouter
from membus.core.errors import InvalidError
from membus.facts.attributes import FactKey, canonical_key
from membus.facts.corrections import CorrectedKey, Correction
from membus.facts.fact import Fact
from membus.facts.observation import FactKind
from membus.tenants.api_keys import ApiScope

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
def get_profile(user: PathId, as_of: AsOf = None, if_none_match: IfNoneMatch = None) -> Response[ProfileOut]:
    container = router.container
    profile = usecase.read_profile(
        router.get_owner(user), as_of, now=container.clock(), facts=container.facts.store
    )
    return ensure_modified(with_etag(profile, profile.version), if_none_match)


@router.get("/v1/users/<user>/facts", summary="The facts about a user", **READ)
def get_facts(
    *,
    user: PathId,
    kind: Annotated[FactKind | None, Query(description="facts of this kind alone")] = None,
    as_of: AsOf = None,
    known_at: KnownAt = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> FactPage:
    owner, page, facts = router.get_owner(user), router.get_page(limit, cursor), router.container.facts.store
    if as_of or known_at:
        return usecase.list_facts_as_of(owner, as_of, known_at, kind=kind, page=page, facts=facts)
    return usecase.list_facts(owner, kind=kind, page=page, now=router.container.clock(), facts=facts)


@router.get(FACT, summary="One fact, and why it is believed", responses=etag_responses(ExplainedFact), **READ)
def get_fact(
    *,
    user: PathId,
    key: Key,
    explain: Annotated[bool, Query(description="say why it is believed")] = False,
    if_none_match: IfNoneMatch = None,
) -> Response[ExplainedFact]:
    fact, revision = usecase.read_fact(
        router.get_owner(user),
        key,
        now=router.container.clock(),
        facts=router.container.facts.store,
        traces=router.container.episodes.traces if explain else None,
    )
    return ensure_modified(with_etag(fact, revision), if_none_match)


@router.put(FACT, summary="Set a fact by hand: it outranks whatever was said before", **WRITE)
def put_fact(
    *,
    user: PathId,
    key: WrittenKey,
    asked: Annotated[FactIn, Body()],
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
    request_key: RequestKey = None,
) -> Response[Fact]:
    correction = correction_of(key, asked)
    version = expected_version(asked.expected_version, None, if_none_match)
    result = _correct(user, correction, request_key, version=version, revision=parse_if_match(if_match))
    return with_etag(result.fact, result.revision)


@router.delete(
    FACT,
    summary="Take a fact back by hand; with purge, have all that it rests on leave every store (scope admin)",
    responses={HTTPStatus.NO_CONTENT: {"description": "It is taken back", "content": {}}, **PURGE_RESPONSES},
    **WRITE,
)
def delete_fact(
    *,
    user: PathId,
    key: WrittenKey,
    purge: Purge = False,
    dry_run: DryRun = False,
    if_match: IfMatch = None,
    request_key: RequestKey = None,
) -> Response[ErasureJobOut | PurgePreview | None]:
    if purge:
        router.require_scope(ApiScope.ADMIN)
        owner = router.get_owner(user)
        events = find_evidence_events(owner, key, router.container.facts.store)
        return router.answer_purge(owner, events, key=request_key, dry_run=dry_run)
    if dry_run:
        raise InvalidError("dry_run shows what a purge would take: say purge=true, too", code="purge_missing")
    _correct(user, Correction(key=key), request_key, version=None, revision=parse_if_match(if_match))
    return Response(HTTPStatus.NO_CONTENT)


def _correct(
    user: str, correction: Correction, request_key: str | None, *, version: int | None, revision: int | None
) -> CorrectionResult:
    owner, method = router.get_owner(user), "DELETE" if correction.value is None else "PUT"
    event_id = correction_event_id(owner, correction.key, request_key, place=method)
    change = FactChange(correction, event_id, expected_version=version, expected_revision=revision)
    return correct_fact(owner, change, now=router.container.clock(), facts=router.container.facts.store)


@router.post("/v1/users/<user>/facts:batch", summary="Set many facts by hand, each on its own", **WRITE)
def post_facts(user: PathId, batch: Annotated[FactBatch, Body()], key: RequestKey = None) -> FactResults:
    request_key = require_idempotency_key(key)
    body = {"user": user} | batch.model_dump(mode="json")

    def put_batch() -> FactResults:
        return put_facts(
            router.get_owner(user),
            body["facts"],
            request_key=request_key,
            now=router.container.clock(),
            facts=router.container.facts.store,
        )

    return router.run_once("facts.batch", put_batch, FactResults, key=request_key, body=body, natural=True)


@router.get(f"{FACT}/history", summary="Every version of a fact and what caused it", **READ)
def get_history(user: PathId, key: Key, limit: Limit = 50, cursor: Cursor = None) -> FactHistory:
    page, facts = router.get_page(limit, cursor), router.container.facts.store
    return usecase.read_history(router.get_owner(user), key, page=page, facts=facts)
