"""Erasure of a user's objects in S3, all versions: large texts and exports, by their prefixes."""

from collections.abc import Callable

from membus.aws.s3 import S3ObjectVersions
from membus.core.erasure import ErasureCount, ErasureStep
from membus.core.identity import Owner
from membus.episodes.dynamodb import texts_prefix
from membus.search.dynamodb import document_texts_prefix
from membus.transfer.model import user_exports_prefix


class UserObjectEraser:
    """Below the prefix lies, too, what no item points to because its write died or lost a race."""

    def __init__(self, versions: S3ObjectVersions, name: str, prefix_of: Callable[[Owner], str]) -> None:
        self._versions, self._name, self._prefix_of = versions, name, prefix_of

    @property
    def name(self) -> str:
        return self._name

    def erase(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        return ErasureCount({self._name: self._versions.purge_prefix(self._prefix_of(owner))})

    def count(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        return ErasureCount({self._name: self._versions.count_versions(self._prefix_of(owner))})


class ExportEraser(UserObjectEraser):
    """Also removes the parts of exports that are still being written."""

    def erase(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        unfinished = self._versions.abort_uploads(self._prefix_of(owner))
        whole = super().erase(owner, step).counts
        return ErasureCount({self._name: whole[self._name] + unfinished})

    def count(self, owner: Owner, step: ErasureStep) -> ErasureCount:
        whole = super().count(owner, step).counts
        return ErasureCount(
            {self._name: whole[self._name] + len(self._versions.list_uploads(self._prefix_of(owner)))}
        )


def large_text_eraser(versions: S3ObjectVersions) -> UserObjectEraser:
    return UserObjectEraser(
        versions, "large_texts", lambda owner: f"spill/{texts_prefix(owner.tenant, owner.user)}"
    )


def document_text_eraser(versions: S3ObjectVersions) -> UserObjectEraser:
    return UserObjectEraser(
        versions,
        "document_texts",
        lambda owner: f"spill/{document_texts_prefix(owner.tenant, owner.user)}",
    )


def export_eraser(versions: S3ObjectVersions) -> ExportEraser:
    return ExportEraser(versions, "exports", user_exports_prefix)
