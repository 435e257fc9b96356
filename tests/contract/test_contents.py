"""The port ContentStore: large texts under keys that an item points to."""

from typing import Any
from uuid import uuid4

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from membus.aws.s3 import S3Blobs
from membus.core.blobs import BlobStore
from membus.core.errors import UnavailableError
from tests.strict import strict_aws
from tests.support.backends import StrictAws


def test_large_text_is_kept_until_it_is_deleted(contents: BlobStore) -> None:
    key, text = f"states/acme/{uuid4().hex}", "😀 " * 100_000
    contents.put_text(key, text)

    assert contents.get_text(key) == text
    contents.delete_text(key)
    assert contents.get_text(key) is None


def test_missing_large_text_is_none_and_may_be_deleted(contents: BlobStore) -> None:
    key = f"states/acme/{uuid4().hex}"
    contents.delete_text(key)

    assert contents.get_text(key) is None


def test_keys_of_large_texts_belong_to_one_tenant(contents: BlobStore) -> None:
    name = uuid4().hex
    tenants = ["acme", "acme1", "é" * 128, "a:b@c+d=e~f|g"]
    for tenant in tenants:
        contents.put_text(f"states/{tenant}/{name}", tenant)

    assert [contents.get_text(f"states/{tenant}/{name}") for tenant in tenants] == tenants


def test_denied_large_text_is_unavailable_and_not_gone() -> None:
    denied = AWSResponse("https://s3", 403, HTTPHeaders(), None), {"Error": {"Code": "AccessDenied"}}

    with strict_aws():
        s3: Any = StrictAws().make_client("s3")
        s3.create_bucket(Bucket="membus-test-archive")
        blobs = S3Blobs(lambda: s3, "membus-test-archive")
        blobs.put_text("states/acme/one", "kept")
        s3.meta.events.register_first("before-call.s3.GetObject", lambda **_: denied)

        with pytest.raises(UnavailableError, match="AccessDenied"):
            blobs.get_text("states/acme/one")
