"""Versions in HTTP: `ETag` on what is read, `If-Match` and `If-None-Match` on what is written."""

import re
from http import HTTPStatus
from typing import Annotated, TypeVar

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Header
from aws_lambda_powertools.event_handler.openapi.types import OpenAPIResponse
from pydantic import BaseModel

from membus.core.errors import InvalidError
from membus.http import json_response

IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=64, description="change it only while it has this version, as ETag"),
]
IfNoneMatch = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        max_length=64,
        description="a read: the tag you have, 304 where it still holds; a write: `*`, which asks that there be none",
    ),
]

T = TypeVar("T", bound=BaseModel)


class NotModifiedError(Exception):
    """The caller has the version that would be sent; an error, because its answer has no body."""

    def __init__(self, tag: str) -> None:
        super().__init__(tag)
        self.tag = tag


def with_etag(body: T, version: int | None) -> Response[T]:
    """Return the answer with its version, where one is known, as ETag."""
    return json_response(body, headers={} if version is None else {"ETag": f'"{version}"'})


def etag_responses(model: type[BaseModel]) -> dict[int, OpenAPIResponse]:
    """Return the responses of a route that uses `ensure_modified`, for the OpenAPI document."""
    return {
        HTTPStatus.OK: {
            "description": "Successful Response",
            "content": {"application/json": {"model": model}},
        },
        HTTPStatus.NOT_MODIFIED: {
            "description": "Not Modified: If-None-Match holds the tag of what would be sent",
            "content": {},
        },
    }


def ensure_modified(answer: Response[T], if_none_match: str | None) -> Response[T]:
    """Return the answer; NotModifiedError where the caller names its tag, or `*`."""
    tag = str(answer.headers["ETag"])
    known = [each.strip().removeprefix("W/") for each in (if_none_match or "").split(",")]
    if tag in known or "*" in known:
        raise NotModifiedError(tag)
    return answer


def expected_version(
    in_body: int | None, if_match: str | None, if_none_match: str | None = None
) -> int | None:
    """Return the version that a write expects, by its body or its headers; None where any will do.

    `If-None-Match: *` expects that there is none yet, as `expected_version: 0` does.

    Raises:
        InvalidError: a header holds no version, or body and headers disagree.
    """
    versions = {in_body, parse_if_match(if_match), _parse_if_none_match(if_none_match)} - {None}
    if len(versions) > 1:
        raise InvalidError("the body and the headers ask for different versions")
    return versions.pop() if versions else None


def parse_if_match(if_match: str | None) -> int | None:
    """Return the number in `If-Match`; InvalidError where it holds none."""
    if if_match is None:
        return None
    version = re.fullmatch(r'"?([1-9][0-9]{0,17})"?', if_match.strip(), re.ASCII)
    if version is None:
        raise InvalidError("If-Match holds one version in quotes, as ETag gave it")
    return int(version[1])


def _parse_if_none_match(if_none_match: str | None) -> int | None:
    if if_none_match is None:
        return None
    if if_none_match.strip() != "*":
        raise InvalidError("If-None-Match takes * alone on a write")
    return 0
