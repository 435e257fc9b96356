"""Facts that wait for a person's word."""

from collections.abc import Iterable
from typing import Protocol

from membus.domain.held_facts import ReviewItem
from membus.domain.identity import Owner
from membus.domain.pages import Page


class ReviewIntake(Protocol):
    """As much as learning needs."""

    def hold(self, owner: Owner, held: Iterable[ReviewItem]) -> None: ...


class ReviewQueue(ReviewIntake, Protocol):
    def hold(self, owner: Owner, held: Iterable[ReviewItem]) -> None:
        """Keep each until its time is up; one whose id is known is left as it is, decided or not."""

    def page(self, owner: Owner, *, limit: int, after: dict[str, str] | None) -> Page[ReviewItem]:
        """Return one page of those that wait, in the order of their ids.

        An empty page may still have a next one.
        """

    def approve(self, owner: Owner, quarantine_id: str) -> ReviewItem:
        """Note a person's yes and return the fact; it may be said again.

        Raises:
            NotFoundError: nothing is held under this id, or its time is up.
            ConflictError: `decided`, it was rejected.
        """

    def reject(self, owner: Owner, quarantine_id: str) -> None:
        """Forget the words and remember the no for good.

        Raises as `approve` does, `decided` where it was approved.
        """
