"""The JSON of health."""

from typing import Literal

from pydantic import BaseModel


class Health(BaseModel):
    """The API answers, in this environment."""

    status: Literal["ok"]
    environment: str
