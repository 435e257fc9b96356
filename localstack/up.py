"""`up`.

Starts what does not run, deploys what is not deployed, and leaves a stack that stack.json describes.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial

from localstack import running
from localstack.deploy import LocalDeployment
from localstack.down import down
from localstack.home import Home
from localstack.parts import StackPart
from localstack.ports import LOOPBACK
from localstack.progress import ProgressDisplay
from localstack.running import PARTS


def up(home: Home, env: Mapping[str, str], steps: ProgressDisplay, *, usual_ports: bool = True) -> bool:
    """Bring the stack of `home` up; say whether there was anything to do."""
    home.make()
    missing = [part for part in PARTS if not running.is_running(home, part)]
    for part in missing:
        if running.read_record(home, part):
            steps.note(str(running.CrashedError(part.name, home)))
    if PARTS[0] in missing:  # the emulator keeps nothing: everything begins anew with it
        down(home)
        home.set_logs_aside()
        home.make()
        missing = list(PARTS)
    deployment = LocalDeployment(home, env, running.choose_ports(home, usual=usual_ports))
    current = deployment.is_current()
    if not missing and current:
        return False
    try:
        _bring_up(deployment, missing, steps, deploy=not current)
    except KeyboardInterrupt:
        for part in missing:
            running.stop(home, part)
        raise
    return True


def _bring_up(
    deployment: LocalDeployment, missing: Sequence[StackPart], steps: ProgressDisplay, *, deploy: bool
) -> None:
    cancelled = threading.Event()

    def begin(part: StackPart) -> None:
        port = deployment.ports[part.name]
        with steps.step(part.name, f"{LOOPBACK}:{port}"):
            running.start(deployment.home, part, port, deployment.env, cancelled)

    def run(name: str, work: Callable[[Callable[[str], None]], None]) -> None:
        with steps.step(name) as tell:
            work(tell)

    jobs = [partial(begin, part) for part in missing]
    if deploy:
        jobs += [partial(run, "build", deployment.build), partial(run, "init", deployment.init)]
    _run_in_parallel(jobs, cancelled)
    if deploy:
        run("deploy", deployment.apply)
        run("tenant", deployment.admit)


def _run_in_parallel(jobs: Sequence[Callable[[], None]], cancelled: threading.Event) -> None:
    with ThreadPoolExecutor(max_workers=len(jobs)) as pool:
        try:
            for done in as_completed([pool.submit(job) for job in jobs]):
                done.result()
        except BaseException:
            cancelled.set()  # or leaving the pool would wait for parts that start in vain
            raise
