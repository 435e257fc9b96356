"""The port ContentStore: large texts under keys that an item points to."""

from uuid import uuid4

from membus.core.blobs import BlobStore


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
