"""The AWS API.

MiniStack in a virtual environment of its own, with IAM enforced, on loopback alone, keeping nothing.
"""

import fcntl
import hashlib
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from localstack.aws import REGION, ROOT_CREDENTIALS
from localstack.errors import StackError
from localstack.home import Home
from localstack.parts import is_healthy
from localstack.paths import EMULATOR_VENV, REPOSITORY
from localstack.ports import LOOPBACK

_LOCK_FILE = REPOSITORY / "requirements" / "emulator.txt"


@dataclass(frozen=True)
class EmulatorPart:
    name: str = "emulator"
    usual_port: int = 4566
    stops_on: signal.Signals = signal.SIGTERM

    def prepare(self, home: Home, env: Mapping[str, str]) -> None:
        EMULATOR_VENV.parent.mkdir(parents=True, exist_ok=True)
        with EMULATOR_VENV.with_suffix(".lock").open("w") as lock:  # every home shares it
            fcntl.flock(lock, fcntl.LOCK_EX)
            _make_environment(home.log("emulator-setup"), env)

    def command(self, home: Home, port: int) -> Sequence[str]:  # noqa: ARG002 - the port goes by the environment
        return [str(EMULATOR_VENV / "bin" / "python"), str(Path(__file__).with_name("ministack_as_aws.py"))]

    def environment(self, home: Home, port: int) -> dict[str, str]:
        """Return all the variables it gets.

        Its Lambda workers inherit them, so nothing of the developer's leaks.
        """
        return {
            **ROOT_CREDENTIALS,
            "AUTH": "true",
            "BIND_HOST": LOOPBACK,
            "MINISTACK_HOST": LOOPBACK,
            "GATEWAY_PORT": str(port),
            "MINISTACK_REGION": REGION,
            "IOT_MTLS_ENABLED": "0",  # it would listen on every interface
            "SFTP_ENABLED": "0",
            "HOME": str(home.scratch),
            "TMPDIR": str(home.scratch),
            "PATH": str(EMULATOR_VENV / "bin"),
            "PYTHONUNBUFFERED": "1",
        }

    def answers(self, home: Home, port: int) -> bool:  # noqa: ARG002 - asked over HTTP alone
        return is_healthy(port, "/_ministack/ready")


def _make_environment(log: Path, env: Mapping[str, str]) -> None:
    made_from = hashlib.sha256(_LOCK_FILE.read_bytes() + sys.version.encode()).hexdigest()
    marker = EMULATOR_VENV / "made-from"
    if marker.exists() and marker.read_text() == made_from:
        return
    shutil.rmtree(EMULATOR_VENV, ignore_errors=True)
    uv = str(Path(sys.executable).with_name("uv"))
    python = str(EMULATOR_VENV / "bin" / "python")
    with log.open("w") as output:
        for command in (
            [uv, "venv", "-q", "--python", sys.executable, str(EMULATOR_VENV)],
            [uv, "pip", "sync", "-q", "--python", python, "--require-hashes", str(_LOCK_FILE)],
        ):
            done = subprocess.run(command, env=dict(env), stdout=output, stderr=output, check=False)
            if done.returncode:
                raise StackError(
                    f"Could not install MiniStack from {_LOCK_FILE.name}:\n{log.read_text()}"
                    "It comes from the Python package index that pip is set up for; check that it can be reached."
                )
    marker.write_text(made_from)
