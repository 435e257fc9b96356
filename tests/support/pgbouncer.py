"""PgBouncer in transaction mode, which stands in for RDS Proxy.

`python -m tests.support.pgbouncer` fetches it if it is absent.

Debian has no package of it for pip, and none is needed: `apt-get download` and `dpkg-deb -x` ask for no root.
Elsewhere whoever runs the tests installs it (`brew install pgbouncer`).
"""

import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg

from localstack.home import LOCAL
from localstack.parts import LOOPBACK, choose_ports
from tests.integration.databases import Database

UNPACKED = LOCAL / "pgbouncer"
PACKAGES = ("pgbouncer", "libc-ares2", "libevent-2.1-7")
MISSING = "pgbouncer is not here: `make pgbouncer` fetches it on Debian, elsewhere install it"
CONFIG = """\
[databases]
{database} = host={host} port={port} user={username} password={password}
[pgbouncer]
listen_addr = {host}
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
"""


def find() -> Path | None:
    installed = shutil.which("pgbouncer", path=f"{os.defpath}:/usr/sbin:/usr/local/bin")
    unpacked = UNPACKED / "usr/sbin/pgbouncer"
    return Path(installed) if installed else unpacked if unpacked.exists() else None


@contextmanager
def pooled(database: Database, folder: Path, *, connections: int) -> Iterator[Database]:
    """Run PgBouncer before a database for the block.

    Every client shares so many connections of the functions' role.
    """
    program = find()
    assert program, MISSING
    port = choose_ports({"pgbouncer": 0})["pgbouncer"]
    login, address = database.functions, database.address
    config = folder / "pgbouncer.ini"
    config.write_text(
        CONFIG.format(
            database=address.database,
            host=address.host,
            port=address.port,
            listen=port,
            username=login.username,
            password=login.password,
            connections=connections,
        )
    )
    as_nobody = ["-u", "nobody"] if os.geteuid() == 0 else []
    libraries = UNPACKED / "usr/lib" / f"{platform.machine()}-linux-gnu"
    process = subprocess.Popen(
        [program, "-q", *as_nobody, config],
        env={"LD_LIBRARY_PATH": str(libraries)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        front = replace(database, address=replace(address, host=LOOPBACK, port=port, sslmode="disable"))
        _wait(front)
        yield front
    finally:
        process.terminate()
        process.wait(10)


def main() -> None:
    if find():
        return
    apt, unpack = shutil.which("apt-get"), shutil.which("dpkg-deb")
    if not (apt and unpack):
        print(MISSING, file=sys.stderr)  # noqa: T201 - as below
        return
    if not _fetched(apt, unpack):
        print(MISSING, file=sys.stderr)  # noqa: T201 - the test that needs it fails and says so too


def _fetched(apt: str, unpack: str) -> bool:
    """Use lists and a cache of our own: neither root nor a machine with fresh lists is needed."""
    ours = [
        f"-oDir::State={UNPACKED}/state",
        f"-oDir::Cache={UNPACKED}/cache",
        "-oDir::State::status=/var/lib/dpkg/status",
    ]
    for folder in ("state/lists/partial", "cache/archives/partial"):
        (UNPACKED / folder).mkdir(parents=True, exist_ok=True)
    commands = [[apt, "-qq", *ours, "update"], [apt, "-qq", *ours, "download", *PACKAGES]]
    if any(subprocess.run(command, cwd=UNPACKED, check=False).returncode for command in commands):
        return False
    for package in UNPACKED.glob("*.deb"):
        subprocess.run([unpack, "-x", package, UNPACKED], check=True)
        package.unlink()
    return True


def _wait(front: Database) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            front.open(front.functions).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


if __name__ == "__main__":
    main()
