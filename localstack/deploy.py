"""Deploys the platform to running parts.

Build, Terraform, the model's key, a tenant with an API key of its own.

Says whether what is deployed is still what the sources would deploy, by a hash instead of a build and a plan.

Runs the tools of a deployment with their output in a log, and shows the end of it where one fails.

Lets a person in: a tenant and an API key with every scope.
"""

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

_SOURCES = {
    "functions": "*",
    "layers": "*",
    "scripts/build": "*.py",
    "requirements": "*.txt",
    "terraform": "*.tf",
}
_NOT_SOURCES = {"__pycache__", ".terraform", "tests"}


def fingerprint(settings: Mapping[str, object], root: Path = REPOSITORY) -> str:
    """Return a hash of every source that reaches a deployment, and of the settings it is given."""
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


def run_logged(
    name: str,
    command: Sequence[str | Path],
    *,
    home: Home,
    env: Mapping[str, str],
    cwd: Path,
    each_line: Callable[[str], None] = lambda _: None,
) -> None:
    """Run `command`, its output in the log `name` and line by line to `each_line`; raise if it fails."""
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
                each_line(line.strip())
        except BaseException:
            _log_tail(tool)  # a stopped `up` leaves no tool at work
            raise
    if tool.returncode:
        raise StackError(f"{name} failed; the end of {home.log_file(name)}:\n{home.read_log_tail(name)}")


def _log_tail(tool: subprocess.Popen[str]) -> None:
    """End `tool` soon: the second word makes Terraform drop what it waits for, and end its provider too."""
    for _ in range(2):
        tool.terminate()
        with suppress(subprocess.TimeoutExpired):
            tool.wait(timeout=2)
            return


TENANT = "demo"


def create_demo_tenant(table_name: str, endpoint_url: str) -> str:
    """Return a new API key of the tenant `demo`, which is made where it does not exist."""
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


_WITHOUT_REGISTRY = (
    "Where Terraform's registry cannot be reached, TF_PLUGIN_DIR may name a directory that holds "
    "registry.terraform.io/hashicorp/aws; `terraform providers mirror DIR` makes one where it can."
)
Tell = Callable[[str], None]


@dataclass(frozen=True)
class LocalDeployment:
    home: Home
    env: Mapping[str, str]
    ports: Mapping[str, int]

    def is_current(self) -> bool:
        """Say whether sources, addresses and the model's key are those of the last deployment that came to its end."""
        deployed = self.home.fingerprint_file
        return (
            self.home.stack_file.exists() and deployed.exists() and deployed.read_text() == self._fingerprint
        )

    def build_artifacts(self, tell: Tell) -> None:
        command = [sys.executable, "-m", "scripts.build", "--target", "host"]
        run_logged("build", command, home=self.home, env=self.env, cwd=REPOSITORY, each_line=tell)

    def init_terraform(self, tell: Tell) -> None:
        tell("terraform/environments/local")
        try:
            self._terraform("init", "-input=false", f"-backend-config=path={self.home.state_file}")
        except StackError as failure:
            raise StackError(f"{failure}\n{_WITHOUT_REGISTRY}") from failure

    def apply_terraform(self, tell: Tell) -> None:
        postgres.make_database(self.home, self.ports["postgres"])
        file = self.home.root / "local.tfvars.json"
        write_private(file, json.dumps(self._variables(), indent=2))
        progress = _ApplyProgress(tell)
        # Terraform mostly waits: its provider takes half a minute to be sure of a queue. Ten at a time wait
        # longer.
        how = ["-input=false", "-auto-approve", "-parallelism=30", f"-var-file={file}"]
        self._terraform("apply", *how, each_line=progress.read)

    def create_tenant_and_key(self, tell: Tell) -> None:
        """Put the model's key in its secret, give the tenant `demo` an API key, and write down what a client needs."""
        platform, endpoint = self._platform(), self._url("emulator")
        aws.put_secret(platform["secret_ids"]["model"], self._model_key or "local", endpoint)
        known = Stack.read(self.home.stack_file).api_key if self.home.stack_file.exists() else None
        api_key = known or create_demo_tenant(platform["tables"]["tenants"], endpoint)
        self._stack(platform, api_key).write(self.home.stack_file)
        self.home.fingerprint_file.write_text(self._fingerprint)
        tell(f"{TENANT}, with a key for every scope")

    @property
    def _model_key(self) -> str | None:
        return self.env.get("ANTHROPIC_API_KEY") or None

    @cached_property
    def _fingerprint(self) -> str:
        """Taken before the build: what changes while it runs is deployed by the next `up`."""
        return fingerprint({"ports": dict(self.ports), "model_key": self._model_key})

    def _variables(self) -> dict[str, Any]:
        model = self._url("model")
        # With a key of one's own the real model answers; nothing but this variable tells the functions.
        base_url = {} if self._model_key else {"ANTHROPIC_BASE_URL": model}
        return {
            "artifacts": str(HOST_BUILD),
            "extra_environment": {
                "AWS_ENDPOINT_URL": self._url("emulator"),
                "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": model,
                "POSTGRES_SSLMODE": "disable",  # on loopback
                "HOT_TIER_URL": self._redis_url,
                **base_url,
            },
            "gateway_url": self._gateway,
            "postgres": postgres.owner(self.ports["postgres"]),
            "postgres_password": postgres.read_passwords(self.home).owner,
        }

    def _stack(self, platform: Mapping[str, Any], api_key: str) -> Stack:
        endpoint = self._url("emulator")
        login = aws.read_login(platform["secret_ids"]["app"], endpoint)
        # The emulator answers for an API by path; the host name that AWS gives it resolves nowhere.
        api_id = urlsplit(platform["api_url"]).netloc.partition(".")[0]
        return Stack(
            endpoint_url=endpoint,
            api_url=f"{self._gateway}/{api_id}",
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
    def _gateway(self) -> str:
        return f"{self._url('emulator')}/_aws/execute-api"

    @property
    def _redis_url(self) -> str:
        return f"redis://{LOOPBACK}:{self.ports['redis']}/0"

    def _url(self, part: str) -> str:
        return f"http://{LOOPBACK}:{self.ports[part]}"

    def _platform(self) -> dict[str, Any]:
        done = run_terraform(
            ["output", "-json", "platform"], ENVIRONMENT, env=self._terraform_env(), capture=True
        )
        if done.returncode:
            raise StackError(f"terraform output failed:\n{done.stderr}")
        platform: dict[str, Any] = json.loads(done.stdout)
        return platform

    def _terraform(self, command: str, *args: str, each_line: Callable[[str], None] = lambda _: None) -> None:
        env = self._terraform_env()
        run_logged(
            f"terraform-{command}",
            [find_terraform(env), command, "-no-color", *args],
            home=self.home,
            env=terraform_environment(env),
            cwd=ENVIRONMENT,
            each_line=each_line,
        )

    def _terraform_env(self) -> dict[str, str]:
        """Return variables that reach the emulator and, whatever the developer's shell holds, never AWS."""
        foreign = {name: value for name, value in self.env.items() if not name.startswith("AWS_")}
        local = {"AWS_ENDPOINT_URL": self._url("emulator"), "TF_DATA_DIR": str(self.home.root / "terraform")}
        return foreign | aws.ROOT_CREDENTIALS | local


class _ApplyProgress:
    """Counts the resources that Terraform says it has done, against those that it planned."""

    def __init__(self, tell: Tell) -> None:
        self._tell, self._planned, self._done = tell, 0, 0

    def read(self, line: str) -> None:
        if plan := re.match(r"Plan: (\d+) to add, (\d+) to change, (\d+) to destroy", line):
            self._planned = sum(int(count) for count in plan.groups())
        elif re.search(r": (Creation|Modifications|Destruction) complete after", line):
            self._done += 1
        elif not line.startswith("Apply complete"):
            return
        self._tell(f"{self._done} of {self._planned} resources")
