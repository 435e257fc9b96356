"""A user's large texts in S3, all versions: those of events lie below a prefix of the user's own."""

from collections.abc import Callable

from membus.adapters.episode_items import texts_prefix
from membus.adapters.s3_versions import S3Versions
from membus.domain.identity import Owner
from membus.ports.erasures import Tally


class LargeTexts:
    """What no item points to, because a write of it died or lost its race, lies there as well."""

    name = "large_texts"

    def __init__(self, versions: S3Versions) -> None:
        self._versions = versions

    def erase(self, owner: Owner, *, cursor: str, time_left: Callable[[], bool], settled: bool) -> Tally:  # noqa: ARG002
        return Tally({"large_texts": self._versions.purge(_prefix(owner))})

    def count(self, owner: Owner, *, cursor: str, time_left: Callable[[], bool]) -> Tally:  # noqa: ARG002
        return Tally({"large_texts": self._versions.count(_prefix(owner))})


def _prefix(owner: Owner) -> str:
    return f"spill/{texts_prefix(owner.tenant, owner.user)}"
