"""Mem0 open source in an environment of its own: equal messages, questions and vectors, `infer=False`."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.benchmarks.search.baselines import message_texts
from tests.benchmarks.search.data import Case
from tests.benchmarks.search.vectors import KeptVectors

VERSION = "2.2.1"
NAME = f"Mem0 {VERSION}"


class Mem0UnavailableError(Exception):
    """The package could not be installed or run; the text says why."""


class Mem0:
    """Runs Mem0 and keeps its answers in `folder`: it needs minutes for a set."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._python = folder / "venv" / "bin" / "python"

    def install(self) -> None:
        """Make the environment once; raises Mem0UnavailableError with the installer's last line."""
        if self._python.exists():
            return
        uv = str(Path(sys.executable).with_name("uv"))
        _run([uv, "venv", "-q", "--python", sys.executable, str(self._folder / "venv")])
        _run([uv, "pip", "install", "-q", "--python", str(self._python), f"mem0ai=={VERSION}"])

    def found(self, case: Case, vectors: KeptVectors) -> list[list[str]]:
        """Return the ids of the messages found for each question of the case, best first."""
        asked = hashlib.sha256("\n".join([case.set, case.id, *(q.text for q in case.questions)]).encode())
        answers = self._folder / f"{asked.hexdigest()[:32]}.json"
        if not answers.exists():
            self._ask(case, vectors, answers)
        found: list[list[str]] = json.loads(answers.read_text())
        return found

    def _ask(self, case: Case, vectors: KeptVectors, answers: Path) -> None:
        said, asked = message_texts(case), [question.text for question in case.questions]
        messages = [
            {"id": message.id, "text": text} for message, text in zip(case.messages, said, strict=True)
        ]
        job, matrix = answers.with_suffix(".job"), answers.with_suffix(".npz")
        job.write_text(json.dumps({"messages": messages, "questions": asked, "texts": [*said, *asked]}))
        np.savez(matrix, vectors=np.concatenate([vectors.embed_texts(said), vectors.embed_texts(asked)]))
        # -P: this folder, in which a mem0.py lies, is no place to import from
        _run(
            [
                str(self._python),
                "-P",
                str(Path(__file__).with_name("mem0_run.py")),
                *map(str, (job, matrix, answers)),
            ]
        )
        job.unlink()
        matrix.unlink()


def _run(command: Sequence[str]) -> None:
    quiet = {"MEM0_TELEMETRY": "False", "HF_HUB_OFFLINE": "1", "PYTHONPATH": ""}
    environment = dict(os.environ) | quiet  # noqa: TID251 - a process of its own
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise Mem0UnavailableError((done.stderr.strip().splitlines() or ["no reason given"])[-1])
