"""The deployed archiver, asked by an operator.

Again and again until a task is done, telling how far it has come.
"""

import json
import shlex
from collections.abc import Callable, Iterable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from membus.adapters.aws import aws_client
from membus.errors import InvalidError, MembusError, UnavailableError
from scripts.command import ExitCode
from scripts.output import Output
from scripts.target import Target

RUN_SECONDS = 890
"""An archiver may work for a quarter of an hour before it answers."""
ArchiverTask = dict[str, Any]
ArchiverResult = dict[str, Any]


def run_task(
    target: Target, asked: Iterable[ArchiverTask], *, told: Callable[[ArchiverResult], None]
) -> ArchiverResult:
    """Let the archiver do each thing until it says that it is finished; return what was done in all.

    `told` hears of every answer: what was done so far, and the cursor where there is one.

    Raises:
        UnavailableError: it answers that it did nothing and has not finished, so it never would.
    """
    total: ArchiverResult = {"episodes": 0, "objects": 0, "bytes": 0, "problems": []}
    for each in asked:
        unfinished, after = True, each.get("after", "")
        while unfinished:
            answer = _invoke(target, each | {"after": after} if after else each)
            for name in ("episodes", "objects", "bytes"):
                total[name] += answer[name]
            total["problems"] += [
                problem for problem in answer["problems"] if problem not in total["problems"]
            ]
            told(total | {"cursor": answer["cursor"]})
            unfinished = answer["unfinished"]
            if unfinished and each.get("dry_run") and not answer["cursor"]:
                Output.remark("there is more than was counted in the archiver's time")
                break
            if unfinished and not answer["objects"] and answer["cursor"] in {"", after}:
                raise UnavailableError("the archiver finds no time for the next step: its log says why")
            after = answer["cursor"] or after
    return total


def run_resumable(
    target: Target, asked: ArchiverTask, *, told: Callable[[ArchiverResult], None]
) -> ArchiverResult:
    """Do one thing that has a cursor; whoever is interrupted is told how to go on from there."""
    place = asked["after"]

    def heard(answer: ArchiverResult) -> None:
        nonlocal place
        place = answer["cursor"] or place
        told(answer)

    try:
        return run_task(target, [asked], told=heard)
    except (KeyboardInterrupt, BotoCoreError, ClientError, MembusError):
        if place:
            Output.remark(f"everything up to {place} is done: go on with --after {shlex.quote(place)}")
        raise


def report_progress(total: ArchiverResult, output: Output, *, deed: str, damaged: bool = False) -> ExitCode:
    """Print what was done; problems are told with it, and in the exit code: they want a look."""
    counted = {name: str(total[name]) for name in ("episodes", "objects", "bytes")}
    output.rows(
        [{"done": deed, **counted, "problems": [str(each) for each in total["problems"]]}], nothing=""
    )
    if not total["problems"]:
        return ExitCode.DONE
    output.remark(f"{len(total['problems'])} problems, see docs/runbooks/archive.md: {total['problems'][0]}")
    return ExitCode.REFUSED if damaged else ExitCode.PARTLY


def _invoke(target: Target, asked: ArchiverTask) -> ArchiverResult:
    answer = aws_client("lambda", attempts=1, read_timeout_seconds=RUN_SECONDS).invoke(
        FunctionName=f"membus-{target.environment}-archive", Payload=json.dumps(asked)
    )
    found: ArchiverResult = json.loads(answer["Payload"].read())
    if "FunctionError" in answer:
        raise InvalidError(f"the archiver refused: {found.get('errorMessage', 'no reason given')}")
    return found
