"""Each function zip, beside the layer it is deployed with and nothing else, on this machine's Python."""

import json
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from scripts.build.packages import HOST, listed_services
from scripts.build.project import ROOT, build, function_names

DIST = ROOT / "dist" / HOST.name
FUNCTIONS = function_names(ROOT)
NEEDS_NO_MODEL_YET = sorted({"authorize", "extract", "api"} & set(FUNCTIONS))

# boto3 and what boto3 itself stands on; the rest of the layer is not the authorizer's to load.
BOTO3 = {"boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six", "urllib3"}

every_function = pytest.mark.parametrize("name", FUNCTIONS)


@pytest.fixture(scope="module")
def layers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that Lambda would make of both layers, one below the other."""
    build(HOST, dist=DIST.parent)
    folder = tmp_path_factory.mktemp("layers")
    for layer in ("membus", "duckdb"):
        with ZipFile(DIST / "layers" / f"{layer}.zip") as archive:
            archive.extractall(folder / layer)
    return folder


@every_function
def test_the_handler_imports_with_nothing_but_its_zip_and_the_layer(layers: Path, name: str) -> None:
    assert "functions" in _loaded_by(name, layers)


@pytest.mark.parametrize("name", NEEDS_NO_MODEL_YET)
def test_anthropic_is_not_imported_before_it_is_needed(layers: Path, name: str) -> None:
    assert "anthropic" not in _loaded_by(name, layers)


def test_the_authorizer_imports_nothing_but_boto3_and_its_own_code(layers: Path) -> None:
    # multiprocessing, which boto3 may load, gives __main__ a second name
    loaded = _loaded_by("authorize", layers) - sys.stdlib_module_names - {"__mp_main__"}

    assert loaded - BOTO3 == {"__main__", "functions", "membus"}


@pytest.mark.parametrize("service", sorted(listed_services(ROOT / "requirements" / "botocore-services.txt")))
def test_the_trimmed_botocore_makes_a_client_of_each_listed_service(layers: Path, service: str) -> None:
    client = f"boto3.client({service!r}, 'us-east-1', aws_access_key_id='a', aws_secret_access_key='b')"
    answer = _isolated(f"import boto3; print({client}.meta.endpoint_url)", layers / "membus/python")

    assert answer.startswith("https://")


def test_a_service_that_is_not_listed_is_refused_by_name(layers: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as refused:
        _isolated("import boto3; boto3.client('ec2', 'us-east-1')", layers / "membus/python")

    assert "Unknown service: 'ec2'" in refused.value.stderr


@pytest.mark.parametrize("package", ["aws_lambda_powertools", "anthropic", "psycopg", "pydantic", "ulid"])
def test_the_layer_brings_what_the_functions_build_on(layers: Path, package: str) -> None:
    assert _isolated(f"import {package}; print({package}.__name__)", layers / "membus/python") == package


def test_the_second_layer_answers_sql(layers: Path) -> None:
    query = "import duckdb; print(duckdb.sql('select 6 * 7').fetchall())"

    assert _isolated(query, layers / "duckdb/python") == "[(42,)]"


def test_the_packages_come_with_bytecode_that_python_accepts(layers: Path) -> None:
    cached = "import boto3.session, os; print(os.path.exists(boto3.session.__cached__))"

    assert _isolated(cached, layers / "membus/python") == "True"


def _loaded_by(name: str, layers: Path) -> set[str]:
    """The top-level names in sys.modules after the handler's import."""
    code = f"import json, sys, functions.{name}.handler; print(json.dumps([*sys.modules]))"
    modules = json.loads(_isolated(code, DIST / "functions" / f"{name}.zip", layers / "membus/python"))
    return {module.split(".")[0] for module in modules}


def _isolated(code: str, *path: Path) -> str:
    """Run code where only the standard library and `path` can be imported.

    No site-packages, no environment.
    """
    setup = f"import sys; sys.path += {[str(entry) for entry in path]}; "
    command = [sys.executable, "-I", "-S", "-B", "-W", "error", "-c", setup + code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={}, timeout=60)
    return done.stdout.strip()
