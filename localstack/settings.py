"""The one place of the local stack that reads the environment, with `.env` of the checkout beneath it."""

import os
from pathlib import Path

from dotenv import dotenv_values

from localstack.paths import REPOSITORY


def read_environment(file: Path = REPOSITORY / ".env") -> dict[str, str]:
    """Return the variables of this process.

    What `file` sets counts where the process has no such variable.
    """
    from_file = {name: value for name, value in dotenv_values(file).items() if value}
    return from_file | dict(os.environ)  # noqa: TID251 - the composition point; everything else is handed a mapping
