"""localstack.terraform without Terraform on the PATH: the pinned release, or an error with a remedy."""

import hashlib
import http.server
import os
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from localstack.home import StackError
from localstack.terraform import VERSION, fetch_terraform, find_terraform


@pytest.fixture
def releases(tmp_path: Path) -> Iterator[str]:
    """Serve one archive as the release site would, on loopback; yield the site's address."""
    folder = tmp_path / "site" / "terraform" / VERSION
    folder.mkdir(parents=True)
    with zipfile.ZipFile(folder / f"terraform_{VERSION}_linux_amd64.zip", "w") as archive:
        archive.writestr("LICENSE.txt", "text")
        archive.writestr("terraform", "#!/bin/sh\necho a terraform\n")
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path / "site")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def pinned(releases: str, tmp_path: Path) -> dict[str, str]:  # noqa: ARG001 - the archive must exist
    archive = tmp_path / "site" / "terraform" / VERSION / f"terraform_{VERSION}_linux_amd64.zip"
    return {"linux_amd64": hashlib.sha256(archive.read_bytes()).hexdigest()}


def test_a_release_with_the_pinned_hash_is_kept_executable(
    releases: str, pinned: dict[str, str], tmp_path: Path
) -> None:
    program = fetch_terraform(tmp_path / "bin", releases=releases, on="linux_amd64", sha256=pinned)

    assert os.access(program, os.X_OK)
    assert [found.name for found in (tmp_path / "bin").iterdir()] == [f"terraform-{VERSION}"]


def test_a_present_release_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / f"terraform-{VERSION}").touch()

    assert fetch_terraform(tmp_path, releases="http://127.0.0.1:1").exists()


def test_a_release_with_another_hash_is_refused_and_not_kept(releases: str, tmp_path: Path) -> None:
    with pytest.raises(StackError, match="expected 000: refused"):
        fetch_terraform(tmp_path / "bin", releases=releases, on="linux_amd64", sha256={"linux_amd64": "000"})

    assert list((tmp_path / "bin").iterdir()) == []


def test_an_absent_release_names_its_url_and_the_remedy(releases: str, tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"Could not get .*darwin_arm64\.zip .*Install Terraform 1\.11\.4"):
        fetch_terraform(tmp_path, releases=releases, on="darwin_arm64")


def test_a_platform_without_a_release_is_named(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="No Terraform release is pinned for plan9_mips"):
        fetch_terraform(tmp_path, on="plan9_mips")


def test_terraform_on_the_path_is_used(tmp_path: Path) -> None:
    program = tmp_path / "terraform"
    program.touch(mode=0o755)

    assert find_terraform({"PATH": str(tmp_path)}) == program
