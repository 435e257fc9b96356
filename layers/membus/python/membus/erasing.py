"""The gate of the erasure ledger: what was erased stays so, and nothing is written while somebody is being erased."""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from membus.domain.erasure import EVERYBODY, HEARD_WITHIN, Erasure, subject_of
from membus.domain.event import Recorded
from membus.domain.identity import Owner
from membus.errors import ConflictError, NotFoundError, UnavailableError
from membus.ports.clock import Clock
from membus.ports.erasures import Erasures

REMEMBERED = 20_000
"""Users whose line, or its absence, a process keeps: some megabytes."""
RETRY_SECONDS = 60


class HeardErasures:
    """A ledger that is asked about a user once in a minute; an erasure counts a minute more than it was asked for."""

    def __init__(self, ledger: Erasures, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock
        self._heard: OrderedDict[Owner, tuple[datetime, Erasure | None]] = OrderedDict()
        self._lock = Lock()

    def of(self, owner: Owner) -> Erasure | None:
        now = self._clock()
        with self._lock:
            heard = self._heard.get(owner)
        if heard and now - heard[0] < HEARD_WITHIN:
            return heard[1]
        erasure = self._ledger.of(owner)
        with self._lock:
            self._heard[owner] = now, erasure
            self._heard.move_to_end(owner)
            while len(self._heard) > REMEMBERED:
                self._heard.popitem(last=False)
        return erasure

    def running(self, tenant: str) -> frozenset[str]:
        return self._ledger.running(tenant)


@dataclass(frozen=True)
class Gate:
    """What a writer asks. Where the ledger does not answer, nothing passes."""

    erasures: Erasures

    def is_erased(self, owner: Owner, moment: datetime) -> bool:
        """Whether what happened to, or was learned of, a user at a moment was erased."""
        erasure = self.erasures.of(owner)
        return erasure is not None and erasure.covers(moment)

    def admits(self, recorded: Recorded) -> bool:
        """Whether an event may be kept; one that was erased may not, however it came back.

        Raises:
            UnavailableError: the user is being erased, and this is new: it has its turn when that is done.
        """
        erasure = self.erasures.of(recorded.event.owner)
        if erasure is None:
            return True
        if erasure.covers(recorded.true_from):
            return False
        if erasure.running:
            raise UnavailableError("the user is being erased", code="erasing", retry_after_seconds=RETRY_SECONDS)
        return True

    def admit(self, owner: Owner) -> None:
        """Let a user's data be written now.

        Raises:
            ConflictError: `erasing`, the user is being erased.
        """
        erasure = self.erasures.of(owner)
        if erasure and erasure.running:
            raise ConflictError("this user is being erased: nothing is written until that is done", code="erasing")

    def show(self, owner: Owner) -> None:
        """Let a user's data be read; it is gone from the moment its erasure was asked for. The ledger is asked anew.

        Raises:
            NotFoundError: the user is being erased.
        """
        if self.hidden(owner.tenant) & {EVERYBODY, subject_of(owner.tenant, owner.user)}:
            raise NotFoundError("nothing is known about this user")

    def hidden(self, tenant: str) -> frozenset[str]:
        """Return the subjects that no list may show."""
        return self.erasures.running(tenant)
