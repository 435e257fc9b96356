"""functions/archive over an object store that refuses, damages, loses or withholds objects."""

from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ClientError

from membus.core.errors import CorruptArchiveError, UnavailableError
from tests.factories import ADA
from tests.fakes.crashing import Death
from tests.support.archive_tiers import BUCKET, calls, fill, ids, make_archive_setup


@pytest.mark.parametrize("code", ["ConditionalRequestConflict", "PreconditionFailed"])
def test_conflict_over_an_object_is_resolved_by_reading_it(code: str) -> None:
    with make_archive_setup() as made:
        everything = fill(made)
        refused: list[str] = []

        def refuse(name: str, _: int) -> None:
            if name == "PutObject" and not refused:
                refused.append(name)
                raise ClientError({"Error": {"Code": code}}, name)

        with calls(made, refuse):
            first = made.archive()
        made.archive()
        made.expire()

        assert len(first.problems) <= 1
        assert ids(made.walk(ADA)) == everything


def test_truncated_object_is_replaced_before_it_is_named() -> None:
    with make_archive_setup() as made:
        everything = fill(made)

        def cut(name: str, _: int) -> None:
            if name == "UpdateItem":
                raise Death

        with calls(made, cut), pytest.raises(Death):
            made.archive()
        (key,) = made.keys_of_parquet()
        made.s3.put_object(Bucket=BUCKET, Key=key, Body=b"PAR1 half")

        assert made.archive().problems == []
        made.expire()
        assert ids(made.walk(ADA)) == everything


def test_episode_stays_hot_while_the_store_is_unavailable() -> None:
    with make_archive_setup() as made:
        everything = fill(made)

        def out_of_reach(name: str, _: int) -> None:
            if name == "GetObject":
                raise ClientError({"Error": {"Code": "SlowDown"}}, name)

        with calls(made, out_of_reach):
            outcome = made.archive()

        assert outcome.episodes == 0
        assert outcome.problems
        assert not any("expires_at" in item for item in made.items())
        assert made.archive().episodes == len(everything)


def test_denied_object_is_unavailable_and_not_missing() -> None:
    with make_archive_setup() as made:
        fill(made)
        made.archive()
        made.expire()

        def deny(name: str, _: int) -> None:
            if name == "GetObject":
                raise ClientError({"Error": {"Code": "AccessDenied"}}, name)

        with calls(made, deny), pytest.raises(UnavailableError, match="AccessDenied"):
            made.walk(ADA)


def test_missing_object_is_an_error_that_names_it() -> None:
    with make_archive_setup() as made:
        fill(made)
        made.archive()
        made.expire()
        key = made.keys_of_parquet()[0]
        made.s3.delete_object(Bucket=BUCKET, Key=key)

        with pytest.raises(CorruptArchiveError, match=key):
            made.walk(ADA)


def test_damaged_object_is_an_error_that_names_it() -> None:
    with make_archive_setup() as made:
        fill(made)
        made.archive()
        made.expire()
        key = made.keys_of_parquet()[0]
        body = bytearray(made.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
        body[100] ^= 1
        made.s3.put_object(Bucket=BUCKET, Key=key, Body=bytes(body))

        with pytest.raises(CorruptArchiveError, match=key):
            made.walk(ADA)


def test_object_that_reads_back_differently_is_rejected() -> None:
    def other(parsed: dict[str, Any], **_: object) -> None:
        parsed["Body"] = BytesIO(b"something else")

    with make_archive_setup() as made:
        fill(made)
        made.s3.meta.events.register("after-call.s3.GetObject", other)

        outcome = made.archive()

        assert outcome.episodes == 0
        assert "reads back as something else" in outcome.problems[0]
        assert not any("expires_at" in item for item in made.items())
