"""Makes a filled answer forget on purpose.

The share of its names and figures that a careless model would lose.
"""

import re
from hashlib import sha256
from typing import Any

from localstack.model.filler import FIGURE, NAME

_LOST = "something"
_WORTH = re.compile(rf"{FIGURE.pattern}|{NAME.pattern}", re.MULTILINE)


def drop_share(value: Any, share: float) -> Any:
    """Return the answer without that share of the names and figures in its texts, and of the entries of its lists.

    Which ones hangs on the words and what stands before them alone: the same answer forgets the same.
    """
    if isinstance(value, str):
        return _WORTH.sub(
            lambda found: _LOST if _falls(found[0], value[: found.start()], share) else found[0], value
        )
    if isinstance(value, list):
        return [
            drop_share(each, share)
            for place, each in enumerate(value)
            if not _falls(str(each), str(place), share)
        ]
    if isinstance(value, dict):
        return {name: drop_share(each, share) for name, each in value.items()}
    return value


def _falls(words: str, before: str, share: float) -> bool:
    drawn = sha256(f"{before}\0{words}".encode()).digest()
    return int.from_bytes(drawn[:4], "big") < share * 2**32
