"""`shadow run|show|promote|discard`: try another model or other instructions beside those in use."""

from argparse import Namespace
from datetime import UTC, datetime
from pathlib import Path

from functions.extract.prompt import CURRENT_INSTRUCTIONS, ExtractionInstructions
from membus.core.identity import Owner
from scripts.command import TENANT, command, option, require_confirmation
from scripts.container import OperatorContainer
from scripts.output import Output, Row
from scripts.reextraction.replay import Reextraction
from scripts.reextraction.trial_model import ExtractionTrial, instructions_version, sample_users
from scripts.target import Target, open_container

SAMPLE = 20
NAME = option("--name", required=True, help="name of the trial")


@command(
    "shadow run",
    "extract facts of a sample again, save the answers apart, and print what would differ",
    TENANT,
    NAME,
    option("--model", help="the model to try (default: that of the deployed extractor)"),
    option("--prompt", type=Path, metavar="FILE", help="the instructions to try"),
    option("--sample", type=int, default=SAMPLE, help="number of users (default: %(default)s)"),
    examples=["shadow run --tenant acme --name sonnet --model claude-sonnet-5-5 --sample 20"],
    asks=True,
)
def run(arguments: Namespace, target: Target, output: Output) -> None:
    container, tenant, name = _open(arguments, target), arguments.tenant, arguments.name
    own = arguments.prompt.read_text(encoding="utf-8") if arguments.prompt else None
    trial = ExtractionTrial(
        tenant=tenant,
        name=name,
        model=arguments.model or container.extract_model,
        prompt_version=instructions_version(own) if own else CURRENT_INSTRUCTIONS.version,
        instructions=own,
        users=sample_users(container.users.list_users(tenant), size=arguments.sample, name=name),
        created_at=datetime.now(UTC),
    )
    if arguments.dry_run:
        users = ", ".join(trial.users)
        output.print_remark(f"would read {len(trial.users)} users again with {trial.model}: {users}")
        return
    require_confirmation(
        arguments, f"Ask {trial.model} about the messages of {len(trial.users)} users of {tenant}?"
    )
    container.trials.add_trial(trial)
    reextraction = _reextraction(trial, container)
    found = [
        reextraction.reextract_user(owner, save_answers=True, save_facts=False)
        for owner in output.track(_list_owners(trial), "users")
    ]
    rows, tried = [row for _, changed in found for row in changed], [derived for derived, _ in found]
    output.print_rows(rows, nothing="The trial found the same facts.")
    dollars = sum(cost.dollars or 0.0 for derived in tried for cost in derived.costs.values())
    output.print_remark(
        f"{len(tried)} users, {sum(len(each.read) for each in tried)} events, {len(rows)} differences, "
        f"${dollars:.4f} for new answers. Next: shadow promote, or shadow discard."
    )


@command("shadow show", "list a tenant's trials", TENANT, examples=["shadow show --tenant acme --json"])
def show(arguments: Namespace, target: Target, output: Output) -> None:
    rows: list[Row] = [
        {
            "name": each.name,
            "model": each.model,
            "prompt_version": each.prompt_version,
            "users": str(len(each.users)),
            "created_at": each.created_at.isoformat(timespec="seconds"),
        }
        for each in _open(arguments, target).trials.list_trials(arguments.tenant)
    ]
    output.print_rows(rows, nothing=f"No trials of {arguments.tenant}.")


@command(
    "shadow promote",
    "make the facts of a trial those of its users",
    TENANT,
    NAME,
    examples=["shadow promote --tenant acme --name sonnet --dry-run"],
    asks=True,
)
def promote(arguments: Namespace, target: Target, output: Output) -> None:
    container, save = _open(arguments, target), not arguments.dry_run
    trial = container.trials.get_trial(arguments.tenant, arguments.name)
    if save:
        users = f"{len(trial.users)} users of {trial.tenant}"
        require_confirmation(arguments, f"Make the facts of {trial.name} those of {users}?")
    rows: list[Row] = []
    for owner in output.track(_list_owners(trial), "users"):
        rows += _reextraction(trial, container).reextract_user(owner, save_answers=save, save_facts=save)[1]
    output.print_rows(rows, nothing="Nothing differed.")
    if save:
        container.trials.delete_trial(trial)
        own = " and put the instructions into functions/extract/prompt.py" if trial.instructions else ""
        output.print_remark(
            f"These users have the facts of {trial.model}. For all users: set model.extract_id = "
            f'"{trial.model}" in Terraform{own}, then `replay --tenant {trial.tenant} --ask`.'
        )


@command(
    "shadow discard",
    "delete a trial and its answers",
    TENANT,
    NAME,
    examples=["shadow discard --tenant acme --name sonnet --yes"],
    asks=True,
)
def discard(arguments: Namespace, target: Target, output: Output) -> None:
    container = _open(arguments, target)
    trial = container.trials.get_trial(arguments.tenant, arguments.name)
    what = f"{trial.name} and the answers of {trial.model}"
    if arguments.dry_run:
        output.print_remark(f"would delete {what}")
        return
    require_confirmation(arguments, f"Delete {what}?")
    in_use = (container.extract_model, CURRENT_INSTRUCTIONS.version)
    if (trial.model, trial.prompt_version) != in_use:
        for owner in _list_owners(trial):
            events = _reextraction(trial, container).list_episodes(owner)
            ids, version = [each.event_id for each in events], trial.prompt_version
            container.facts.answers.delete_answers(owner, ids, prompt_version=version, model=trial.model)
    container.trials.delete_trial(trial)
    output.print_remark(f"{trial.name} is deleted.")


def _list_owners(trial: ExtractionTrial) -> list[Owner]:
    return [Owner(tenant=trial.tenant, user=user) for user in trial.users]


def _reextraction(trial: ExtractionTrial, container: OperatorContainer) -> Reextraction:
    own = trial.instructions and ExtractionInstructions(trial.prompt_version, trial.instructions)
    return Reextraction(container, trial.model, own or None)


def _open(arguments: Namespace, target: Target) -> OperatorContainer:
    target.get_tenant(arguments.tenant)
    return open_container(target.environment, "extract")
