"""The command line of the local stack."""

import argparse
import signal
import sys
import time
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from localstack.backend import init_backend, require_backend
from localstack.home import LOCAL, Home, Stack, StackError, read_environment
from localstack.lifecycle import ProgressDisplay, describe, down, is_whole, up
from localstack.terraform import run_terraform


def main(arguments: list[str] | None = None) -> int:
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["terraform"]:  # argparse would take Terraform's options for its own
        return run_terraform(arguments[1:], Path.cwd()).returncode
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        return int(options.run(options))
    except StackError as failure:
        print(f"membus: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("membus: stopped; what this command started is stopped too", file=sys.stderr)
        return 130


def _up(options: argparse.Namespace) -> int:
    began, home, steps = time.monotonic(), _home(options), ProgressDisplay(Console())
    with home.lock_folder(_print_waiting), steps.show_live():
        changed = up(home, read_environment(), steps, usual_ports=not options.any_ports)
    stack = Stack.read(home.stack_file)
    print(f"{'up' if changed else 'up already'} ({time.monotonic() - began:.1f} s): {stack.api_url}")
    print(f"addresses and the demo tenant's key: {home.stack_file}")
    return 0


def _down(options: argparse.Namespace) -> int:
    home, steps = _home(options), ProgressDisplay(Console())
    with home.lock_folder(_print_waiting), steps.show_live():
        stopped = down(home, steps)
    print(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")
    return 0


def _status(options: argparse.Namespace) -> int:
    home = _home(options)
    print(describe(home))
    return 0 if is_whole(home) else 1


def _require_backend(options: argparse.Namespace) -> int:
    require_backend(options.environment, read_environment())
    return 0


def _init_backend(options: argparse.Namespace) -> int:
    return init_backend(options.environment, read_environment())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m localstack", description="The local stack of membus.")
    commands = parser.add_subparsers(required=True, metavar="command")
    home = argparse.ArgumentParser(add_help=False)
    home.add_argument("--home", type=Path, default=LOCAL, help="the folder of the stack (.local)")
    environment = argparse.ArgumentParser(add_help=False)
    environment.add_argument("environment", metavar="ENV", help="dev, staging or prod")
    for name, run, options, purpose in (
        ("up", _up, home, "start the parts that do not run and deploy what changed"),
        ("down", _down, home, "stop every part and delete the data"),
        ("status", _status, home, "list the parts with their addresses"),
        ("backend", _require_backend, environment, "check that an environment on AWS has its state bucket"),
        (
            "init",
            _init_backend,
            environment,
            "terraform init of an environment, with the bucket of bootstrap",
        ),
    ):
        command = commands.add_parser(name, parents=[options], help=purpose)
        command.set_defaults(run=run)
        if name == "up":
            command.add_argument(
                "--any-ports", action="store_true", help="leave the usual ports to another stack"
            )
    commands.add_parser("terraform", help="run Terraform with the provider that this machine has")
    return parser


def _home(options: argparse.Namespace) -> Home:
    return Home(options.home.resolve())


def _print_waiting() -> None:
    print("another command works on this stack; waiting for it")


def _interrupt(*_: object) -> NoReturn:
    raise KeyboardInterrupt
