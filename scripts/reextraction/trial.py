"""`shadow run|show|promote|discard`.

Try another model or other instructions on a sample, beside what is in use.
"""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.progress import track

from functions.extract.prompt import CURRENT_INSTRUCTIONS, ExtractionInstructions
from membus.core.identity import Owner
from scripts.command import require_confirmation
from scripts.container import OperatorContainer
from scripts.output import Output, Row
from scripts.reextraction.derivation import DerivedFacts, FactDifference, compare_facts
from scripts.reextraction.replay import Reextraction, count_spending, replay, rows
from scripts.reextraction.trial_model import ExtractionTrial, instructions_version, sample_users
from scripts.target import AddGroup, Target, open_container

SAMPLE = 20
EXAMPLES = {
    "run": "run --tenant acme --name sonnet --model claude-sonnet-5-5 --sample 20",
    "show": "show --tenant acme --json",
    "promote": "promote --tenant acme --name sonnet --dry-run",
    "discard": "discard --tenant acme --name sonnet --yes",
}


def register(add_group: AddGroup, options: ArgumentParser) -> None:
    commands = add_group("shadow", help="try another model or prompt beside the one in use").add_subparsers(
        required=True
    )
    for name, act, summary in (
        ("run", _run, "read a sample again, write the answers beside and print what would differ"),
        ("show", _show, "list a tenant's trials"),
        ("promote", _promote, "make what a trial found the facts of its users"),
        ("discard", _discard, "forget a trial and its answers"),
    ):
        command = commands.add_parser(
            name,
            parents=[options],
            help=summary,
            asks=act is not _show,
            examples=[f"shadow {EXAMPLES[name]}"],
        )
        command.add_argument("--tenant", required=True)
        if act is not _show:
            command.add_argument("--name", required=True, help="what the trial is called")
        if act is _run:
            command.add_argument("--model", help="the model to try (default: the deployed extractor's)")
            command.add_argument("--prompt", type=Path, metavar="FILE", help="instructions to try")
            command.add_argument("--sample", type=int, default=SAMPLE, help="users (default: %(default)s)")
        command.set_defaults(run=act)


def _run(arguments: Namespace, target: Target, output: Output) -> None:
    container = _container(arguments, target)
    own = arguments.prompt.read_text(encoding="utf-8") if arguments.prompt else None
    shadow = ExtractionTrial(
        tenant=arguments.tenant,
        name=arguments.name,
        model=arguments.model or container.extract_model,
        prompt_version=instructions_version(own) if own else CURRENT_INSTRUCTIONS.version,
        instructions=own,
        users=sample_users(
            container.users.list_users(arguments.tenant), size=arguments.sample, name=arguments.name
        ),
        created_at=datetime.now(UTC),
    )
    if arguments.dry_run:
        output.print_remark(
            f"would read {len(shadow.users)} users again with {shadow.model}: {', '.join(shadow.users)}"
        )
        return
    require_confirmation(
        arguments, f"Ask {shadow.model} about what {len(shadow.users)} users of {shadow.tenant} said?"
    )
    container.trials.add_trial(shadow)
    told: list[Row] = []
    tried: list[DerivedFacts] = []
    for owner, derived, changes in track(
        _compare(shadow, container),
        "users",
        total=len(shadow.users),
        console=output.progress_console(),
        transient=True,
    ):
        tried.append(derived)
        told += rows(owner.user, derived, changes)
    output.print_rows(told, nothing="The trial found the same facts.")
    output.print_remark(
        f"{len(tried)} users, {sum(len(each.read) for each in tried)} events, {len(told)} differences, "
        f"${count_spending(tried):.4f} for new answers. Next: shadow promote, or shadow discard."
    )


def _compare(
    shadow: ExtractionTrial, container: OperatorContainer
) -> Iterator[tuple[Owner, DerivedFacts, FactDifference]]:
    """Read each user of the sample as the trial would, and keep the answers beside those in use."""
    rereading = _reextraction(shadow, container)
    for user in shadow.users:
        owner = Owner(tenant=shadow.tenant, user=user)
        derived = rereading.derive_facts(owner)
        container.facts.answers.save_answers(
            owner.tenant, derived.answers, prompt_version=shadow.prompt_version, model=shadow.model
        )
        stored = container.facts.store.list_observations(owner)
        yield owner, derived, compare_facts(stored, derived.merge_with(stored))


def _show(arguments: Namespace, target: Target, output: Output) -> None:
    container = _container(arguments, target)
    output.print_rows(
        [
            {
                "name": each.name,
                "model": each.model,
                "prompt_version": each.prompt_version,
                "users": str(len(each.users)),
                "created_at": each.created_at.isoformat(timespec="seconds"),
            }
            for each in container.trials.list_trials(arguments.tenant)
        ],
        nothing=f"No trials of {arguments.tenant}.",
    )


def _promote(arguments: Namespace, target: Target, output: Output) -> None:
    container = _container(arguments, target)
    shadow = container.trials.get_trial(arguments.tenant, arguments.name)
    if not arguments.dry_run:
        require_confirmation(
            arguments,
            f"Make what {shadow.name} found the facts of {len(shadow.users)} users of {shadow.tenant}?",
        )
    told: list[Row] = []
    for user in track(shadow.users, "users", console=output.progress_console(), transient=True):
        told += replay(
            Owner(tenant=shadow.tenant, user=user),
            _reextraction(shadow, container),
            dry_run=arguments.dry_run,
        )
    output.print_rows(told, nothing="Nothing differed.")
    if arguments.dry_run:
        return
    container.trials.delete_trial(shadow)
    instructions = " and put the instructions into functions/extract/prompt.py" if shadow.instructions else ""
    output.print_remark(
        f'These users know what {shadow.model} read. For everybody: set model.extract_id = "{shadow.model}" in '
        f"Terraform{instructions}, then `replay --tenant {shadow.tenant} --ask`."
    )


def _discard(arguments: Namespace, target: Target, output: Output) -> None:
    container = _container(arguments, target)
    shadow = container.trials.get_trial(arguments.tenant, arguments.name)
    if arguments.dry_run:
        output.print_remark(f"would forget {shadow.name} and what {shadow.model} answered")
        return
    require_confirmation(arguments, f"Forget {shadow.name} and what {shadow.model} answered?")
    in_use = (shadow.model, shadow.prompt_version) == (
        container.extract_model,
        CURRENT_INSTRUCTIONS.version,
    )
    rereading = _reextraction(shadow, container)
    for user in shadow.users if not in_use else ():
        read = rereading.list_episodes(Owner(tenant=shadow.tenant, user=user))
        ids = [each.event.event_id for each in read]
        container.facts.answers.delete_answers(
            shadow.tenant, ids, prompt_version=shadow.prompt_version, model=shadow.model
        )
    container.trials.delete_trial(shadow)
    output.print_remark(f"{shadow.name} is forgotten.")


def _reextraction(shadow: ExtractionTrial, container: OperatorContainer) -> Reextraction:
    instructions = (
        ExtractionInstructions(shadow.prompt_version, shadow.instructions)
        if shadow.instructions
        else CURRENT_INSTRUCTIONS
    )
    return Reextraction(container, shadow.model, instructions)


def _container(arguments: Namespace, target: Target) -> OperatorContainer:
    target.get_tenant(arguments.tenant)
    return open_container(target.environment, "extract")
