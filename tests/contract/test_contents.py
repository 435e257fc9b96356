"""The port ContentStore: large texts under keys that an item points to."""

from uuid import uuid4

from membus.core.blobs import BlobStore


def test_a_text_is_kept_until_it_is_dropped(contents: BlobStore) -> None:
    key, text = f"states/acme/{uuid4().hex}", "😀 " * 100_000
    contents.put_text(key, text)

    assert contents.get_text(key) == text
    contents.delete_text(key)
    assert contents.get_text(key) is None


def test_dropping_and_reading_what_is_not_there_is_fine(contents: BlobStore) -> None:
    key = f"states/acme/{uuid4().hex}"
    contents.delete_text(key)

    assert contents.get_text(key) is None


def test_any_tenant_has_keys_of_its_own(contents: BlobStore) -> None:
    name = uuid4().hex
    tenants = ["acme", "acme1", "é" * 128, "a:b@c+d=e~f|g"]
    for tenant in tenants:
        contents.put_text(f"states/{tenant}/{name}", tenant)

    assert [contents.get_text(f"states/{tenant}/{name}") for tenant in tenants] == tenants
