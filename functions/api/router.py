"""The router of a resource: its routes, and what they know of the request that they answer."""

from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.router import APIGatewayHttpRouter
from pydantic import BaseModel

from functions.api.idempotency import idempotency_config, run_idempotent
from functions.api.jobs.schemas import ErasureJobOut
from functions.api.middleware import load_hidden
from functions.api.pages import PageRequest
from functions.api.purge.schemas import PurgePreview
from functions.api.purge.usecase import preview_purge
from membus.container import Container
from membus.core.erasure import SubjectsBeingErased
from membus.core.errors import ForbiddenError
from membus.core.identity import Owner
from membus.erasure.guard import ensure_visible
from membus.erasure.request import request_purge
from membus.http import get_caller, json_response

T = TypeVar("T", bound=BaseModel)


class ApiRouter(APIGatewayHttpRouter):
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Powertools leaves it without types

    @property
    def container(self) -> Container:
        """The container that the handler put into the request's context."""
        container: Container = self.context["container"]
        return container

    @property
    def tenant(self) -> str:
        return get_caller(self).tenant

    @property
    def hidden(self) -> SubjectsBeingErased:
        """The users who are being erased, whom the answer must not show."""
        return load_hidden(self)

    def get_owner(self, user: str) -> Owner:
        return Owner(tenant=self.tenant, user=user)

    def get_page(self, limit: int, cursor: str | None) -> PageRequest:
        return PageRequest(limit, cursor, self.container.cursor_signer)

    def check_visible(self, user: str | None) -> None:
        """Let the data of a user be read, or of nobody in particular; NotFoundError during an erasure."""
        if user:
            ensure_visible(user, self.hidden)

    def check_writable(self, *users: str | None) -> None:
        """Let the data of users be written; ConflictError `erasing` while one of them is being erased."""
        for user in filter(None, users):
            self.container.erasure.guard.ensure_writable(self.get_owner(user))

    def require_scope(self, scope: str) -> None:
        """Raise ForbiddenError where a request asks for more than its route's own scope allows."""
        if scope not in get_caller(self).scopes:
            raise ForbiddenError(f"this key lacks the scope {scope}", code="scope_missing")

    def answer_purge(
        self, owner: Owner, events: Sequence[str], *, key: str | None, dry_run: bool
    ) -> Response[ErasureJobOut | PurgePreview | None]:
        """Begin the purge of events, or show what it would take."""
        container = self.container
        if dry_run:
            traces = container.episodes.traces
            return json_response(preview_purge(owner, events, facts=container.facts.store, traces=traces))
        job = request_purge(
            owner,
            events,
            request_key=key,
            requested_by=get_caller(self).key_id,
            now=container.clock(),
            jobs=container.erasure.jobs,
            announcements=container.events.announcements,
        )
        location = {"Location": f"/v1/jobs/{job.job_id}"}
        return json_response(ErasureJobOut.from_job(job), status=HTTPStatus.ACCEPTED, headers=location)

    def run_once(
        self,
        operation: str,
        action: Callable[[], T],
        model: type[T],
        *,
        key: str,
        body: dict[str, Any],
        natural: bool = False,
    ) -> T:
        """Return the answer of an action that runs once for each key, as `run_idempotent` says."""
        answer = run_idempotent(
            operation,
            {"tenant": self.tenant, "key": key, "body": body},
            lambda: action().model_dump(mode="json"),
            store=self.container.idempotency,
            config=idempotency_config(self.lambda_context),
            natural=natural,
        )
        return model.model_validate(answer)
