"""`status`: what of a stack runs and where; what crashed is named, with the end of its log."""

from localstack import running
from localstack.home import Home
from localstack.parts import StackPart
from localstack.ports import LOOPBACK
from localstack.running import PARTS


def is_whole(home: Home) -> bool:
    return home.stack_file.exists() and all(running.is_running(home, part) for part in PARTS)


def describe(home: Home) -> str:
    lines = [_part_line(home, part) for part in PARTS]
    lines.append(f"  {'deployed':<10} {home.stack_file if home.stack_file.exists() else 'no'}")
    crashed = [
        part.name for part in PARTS if running.read_record(home, part) and not running.is_running(home, part)
    ]
    return "\n".join([*lines, *(str(running.CrashedError(name, home)) for name in crashed)])


def _part_line(home: Home, part: StackPart) -> str:
    record = running.read_record(home, part)
    if record is None:
        return f"  {part.name:<10} not running"
    state = "running" if running.is_running(home, part) else "CRASHED"
    return f"  {part.name:<10} {state:<8} {LOOPBACK}:{record.port:<6} pid {record.process.pid:<8} {home.log(part.name)}"
