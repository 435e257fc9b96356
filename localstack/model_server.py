"""The local model server as a part of the stack."""

import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from localstack.home import Home
from localstack.parts import is_healthy
from localstack.paths import LAYER, REPOSITORY


@dataclass(frozen=True)
class ModelServerPart:
    name: str = "model"
    usual_port: int = 4580
    stops_on: signal.Signals = signal.SIGTERM

    def prepare(self, home: Home, env: Mapping[str, str]) -> None:
        """Nothing to prepare: its weights come in a package."""

    def command(self, home: Home, port: int) -> Sequence[str]:  # noqa: ARG002 - it keeps nothing in the home
        return [sys.executable, "-m", "localstack.model", "--port", str(port)]

    def environment(self, home: Home, port: int) -> dict[str, str]:  # noqa: ARG002 - the port is an argument
        return {"PYTHONPATH": f"{REPOSITORY}:{LAYER}", "PYTHONUNBUFFERED": "1", "HOME": str(home.scratch)}

    def answers(self, home: Home, port: int) -> bool:  # noqa: ARG002 - asked over HTTP alone
        return is_healthy(port, "/health")
