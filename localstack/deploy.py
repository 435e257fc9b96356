"""Deploys the platform to running parts: build, Terraform, the model's key, a tenant with an API key."""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from localstack import aws, postgres
from localstack.home import (
    ENVIRONMENT,
    HOST_BUILD,
    REPOSITORY,
    Home,
    Stack,
    StackError,
    Tables,
    write_private,
)
from localstack.parts import LOOPBACK
from localstack.terraform import find_terraform, run_terraform, terraform_environment
from membus.core.errors import ConflictError
from membus.tenants.api_keys import ApiScope
from membus.tenants.dynamodb import DynamoTenants
from membus.tenants.dynamodb_api_keys import DynamoApiKeys
from membus.tenants.provisioning import create_key, create_tenant

TENANT = "demo"
Report = Callable[[str], None]
_SOURCES = {
    "functions": "*",
    "layers": "*",
    "scripts/build": "*.py",
    "requirements": "*.txt",
    "terraform": "*.tf",
}
_NOT_SOURCES = {"__pycache__", ".terraform", "tests"}
_WITHOUT_REGISTRY = (
    "Where Terraform's registry cannot be reached, TF_PLUGIN_DIR may name a directory that holds "
    "registry.terraform.io/hashicorp/aws; `terraform providers mirror DIR` makes one where it can."
)


@dataclass(frozen=True)
class LocalDeployment:
    """Deploys to the parts at `ports`; `env` are the variables of the developer's shell and `.env`."""

    home: Home
    env: Mapping[str, str]
    ports: Mapping[str, int]

    def is_current(self) -> bool:
        """Say whether the last complete deployment had the same sources, addresses and model key."""
        deployed = self.home.fingerprint_file
        return (
            self.home.stack_file.exists() and deployed.exists() and deployed.read_text() == self._fingerprint
        )

    def build_artifacts(self, report: Report) -> None:
        command = [sys.executable, "-m", "scripts.build", "--target", "host"]
        run_logged("build", command, home=self.home, env=self.env, cwd=REPOSITORY, on_line=report)

    def init_terraform(self, report: Report) -> None:
        report("terraform/environments/local")
        try:
            self._run_terraform("init", "-input=false", f"-backend-config=path={self.home.state_file}")
        except StackError as failure:
            raise StackError(f"{failure}\n{_WITHOUT_REGISTRY}") from failure

    def apply_terraform(self, report: Report) -> None:
        """Apply, and report how many of the planned resources are done."""
        postgres.make_database(self.home, self.ports["postgres"])
        file = self.home.root / "local.tfvars.json"
        write_private(file, json.dumps(self._variables(), indent=2))
        planned = done = 0

        def read_progress(line: str) -> None:
            nonlocal planned, done
            if plan := re.match(r"Plan: (\d+) to add, (\d+) to change, (\d+) to destroy", line):
                planned = sum(int(count) for count in plan.groups())
            elif re.search(r": (Creation|Modifications|Destruction) complete after", line):
                done += 1
            elif not line.startswith("Apply complete"):
                return
            report(f"{done} of {planned} resources")

        # Terraform mostly waits (its provider needs half a minute for a queue): thirty at a time wait less.
        options = ["-input=false", "-auto-approve", "-parallelism=30", f"-var-file={file}"]
        self._run_terraform("apply", *options, on_line=read_progress)

    def create_tenant_and_key(self, report: Report) -> None:
        """Store the model's key, create an API key of the tenant `demo`, and write `stack.json`."""
        outputs = run_terraform(
            ["output", "-json", "platform"], ENVIRONMENT, env=self._terraform_variables(), capture=True
        )
        if outputs.returncode:
            raise StackError(f"terraform output failed:\n{outputs.stderr}")
        platform, endpoint = json.loads(outputs.stdout), self._url("emulator")
        aws.put_secret(platform["secret_ids"]["model"], self._model_key or "local", endpoint)
        known = Stack.read(self.home.stack_file).api_key if self.home.stack_file.exists() else None
        api_key = known or create_demo_key(platform["tables"]["tenants"], endpoint)
        self._describe_stack(platform, api_key).write(self.home.stack_file)
        self.home.fingerprint_file.write_text(self._fingerprint)
        report(f"{TENANT}, with a key for every scope")

    def _describe_stack(self, platform: Mapping[str, Any], api_key: str) -> Stack:
        login = aws.read_login(platform["secret_ids"]["app"], self._url("emulator"))
        # The emulator answers for an API by path; the host name that AWS gives it resolves nowhere.
        api_id = urlsplit(platform["api_url"]).netloc.partition(".")[0]
        return Stack(
            endpoint_url=self._url("emulator"),
            api_url=f"{self._gateway_url}/{api_id}",
            ws_url=platform["ws_url"],
            bus_name=platform["bus_name"],
            tenant_id=TENANT,
            api_key=api_key,
            tables=Tables(**platform["tables"]),
            bucket=platform["bucket"],
            postgres_dsn=postgres.dsn(self.ports["postgres"], login["username"], login["password"]),
            redis_url=self._redis_url,
            model_url=self._url("model"),
        )

    @property
    def _model_key(self) -> str | None:
        return self.env.get("ANTHROPIC_API_KEY") or None

    @cached_property
    def _fingerprint(self) -> str:
        """Taken before the build: the next `up` deploys what changes while it runs."""
        return fingerprint({"ports": dict(self.ports), "model_key": self._model_key})

    @property
    def _gateway_url(self) -> str:
        return f"{self._url('emulator')}/_aws/execute-api"

    @property
    def _redis_url(self) -> str:
        return f"redis://{LOOPBACK}:{self.ports['redis']}/0"

    def _url(self, part: str) -> str:
        return f"http://{LOOPBACK}:{self.ports[part]}"

    def _variables(self) -> dict[str, Any]:
        """Return the variables of Terraform's environment `local`."""
        environment = {
            "AWS_ENDPOINT_URL": self._url("emulator"),
            "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": self._url("model"),
            "POSTGRES_SSLMODE": "disable",  # on loopback
            "HOT_TIER_URL": self._redis_url,
        }
        if not self._model_key:  # with a key the real model answers
            environment["ANTHROPIC_BASE_URL"] = self._url("model")
        return {
            "artifacts": str(HOST_BUILD),
            "extra_environment": environment,
            "gateway_url": self._gateway_url,
            "postgres": postgres.owner(self.ports["postgres"]),
            "postgres_password": postgres.read_passwords(self.home).owner,
        }

    def _run_terraform(self, command: str, *args: str, on_line: Report = lambda _: None) -> None:
        env = self._terraform_variables()
        run_logged(
            f"terraform-{command}",
            [find_terraform(env), command, "-no-color", *args],
            home=self.home,
            env=terraform_environment(env),
            cwd=ENVIRONMENT,
            on_line=on_line,
        )

    def _terraform_variables(self) -> dict[str, str]:
        """Return variables that reach the emulator and never AWS, whatever the developer's shell has."""
        foreign = {name: value for name, value in self.env.items() if not name.startswith("AWS_")}
        local = {"AWS_ENDPOINT_URL": self._url("emulator"), "TF_DATA_DIR": str(self.home.root / "terraform")}
        return foreign | aws.ROOT_CREDENTIALS | local


def fingerprint(settings: Mapping[str, object], root: Path = REPOSITORY) -> str:
    """Return a hash of the settings and of every source that a deployment is made of."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for file in _source_files(root):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(root)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _source_files(root: Path) -> Iterator[Path]:
    for folder, pattern in _SOURCES.items():
        for file in sorted((root / folder).rglob(pattern)):
            if file.is_file() and not _NOT_SOURCES & set(file.relative_to(root).parts):
                yield file


def create_demo_key(table_name: str, endpoint_url: str) -> str:
    """Return a new API key of the tenant `demo` with every scope; create the tenant if needed."""
    table = aws.session().resource("dynamodb", endpoint_url=endpoint_url).Table(table_name)
    tenants = DynamoTenants(table)
    with suppress(ConflictError):
        create_tenant(TENANT, store=tenants, name="Demo")
    return create_key(
        TENANT,
        environment="local",
        tenants=tenants,
        keys=DynamoApiKeys(table),
        scopes=tuple(ApiScope),
        name="made by the local stack",
    )


def run_logged(
    name: str,
    command: Sequence[str | Path],
    *,
    home: Home,
    env: Mapping[str, str],
    cwd: Path,
    on_line: Report,
) -> None:
    """Run `command` with its output in the log `name`; raise StackError with the end of it if it fails."""
    with (
        home.log_file(name).open("w") as log,
        subprocess.Popen(
            command, cwd=cwd, env=dict(env), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as tool,
    ):
        try:
            for line in tool.stdout or ():
                log.write(line)
                log.flush()
                on_line(line.strip())
        except BaseException:
            _terminate(tool)  # a stopped `up` leaves no tool at work
            raise
    if tool.returncode:
        raise StackError(f"{name} failed; the end of {home.log_file(name)}:\n{home.read_log_tail(name)}")


def _terminate(tool: subprocess.Popen[str]) -> None:
    """End `tool` soon: a second SIGTERM makes Terraform drop its requests and end its provider too."""
    for _ in range(2):
        tool.terminate()
        with suppress(subprocess.TimeoutExpired):
            tool.wait(timeout=2)
            return
