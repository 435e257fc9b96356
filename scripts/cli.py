"""The operators' commands: one file for each group, errors in one line, 0 done, 1 refused or failed, 2 misused."""

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence

from botocore.exceptions import BotoCoreError, ClientError

from membus.errors import MembusError
from scripts import gaps, keys, reindex, replay, shadow, tenants, usage
from scripts.output import Output
from scripts.target import Target, open_target, target_options

EXAMPLES = """examples:
  python -m scripts tenant create acme --name "Acme Ltd"
  python -m scripts tenant budget acme --dollars-per-day 5
  python -m scripts usage --tenant acme --from 2026-11-01
  python -m scripts key create acme --scopes events:write,memory:read --expires-in 90d
  python -m scripts key list acme --environment dev --json
  python -m scripts key revoke 4fTq0ZbNw1Xs
  python -m scripts replay --tenant acme --user ada --dry-run
  python -m scripts shadow run --tenant acme --name sonnet --model claude-sonnet-5-5 --sample 20
  python -m scripts gaps --tenant acme --environment prod
  python -m scripts reindex --tenant acme --environment prod --model cohere.embed-v4
"""


def main(argv: Sequence[str] | None = None, *, open_target: Callable[[Namespace], Target] = open_target) -> int:
    arguments = _parser().parse_args(argv)
    try:
        arguments.run(arguments, open_target(arguments), Output(as_json=arguments.json))
    except MembusError as error:
        return _failed(error.detail)
    except (BotoCoreError, ClientError) as error:
        return _failed(str(error))
    return 0


def _failed(why: str) -> int:
    Output.remark(f"error: {why}")
    return 1


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="python -m scripts",
        description="Operate membus: the local stack, or an environment on AWS with --environment.",
        epilog=EXAMPLES,
        formatter_class=RawDescriptionHelpFormatter,
    )
    groups, options = parser.add_subparsers(required=True, metavar="command"), target_options()
    for group in (tenants, keys, usage, gaps, reindex, replay, shadow):
        group.register(groups.add_parser, options)
    return parser
