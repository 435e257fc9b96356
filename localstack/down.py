"""`down`: stops what this home started, whatever it spawned included, and forgets that life of the stack."""

from localstack import running
from localstack.home import Home
from localstack.running import PARTS


def down(home: Home) -> list[str]:
    """Return the names of the parts that were there to stop."""
    stopped = [part.name for part in PARTS if running.stop(home, part)]
    home.forget()
    return stopped
