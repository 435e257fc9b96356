"""The SBOM of a layer: valid CycloneDX that names what the zip holds, and exactly the locked files."""

import json
import re
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from scripts.build.packages import HOST, LAMBDA, BuildTarget
from scripts.build.project import LAYERS, ROOT, LayerBuild, build

DIST = ROOT / "dist"

every_target = pytest.mark.parametrize("target", [LAMBDA, HOST], ids=lambda target: target.name)
every_layer = pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)


@every_target
@every_layer
def test_it_is_valid_cyclonedx(target: BuildTarget, layer: LayerBuild) -> None:
    text = json.dumps(_bill(target, layer))

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


@every_target
@every_layer
def test_it_names_exactly_the_packages_in_the_zip(target: BuildTarget, layer: LayerBuild) -> None:
    named = {(part["name"], part["version"]) for part in _bill(target, layer)["components"]}

    with ZipFile(DIST / target.name / "layers" / f"{layer.name}.zip") as archive:
        folders = [re.fullmatch(r"python/(.+)-(.+)\.dist-info/METADATA", name) for name in archive.namelist()]
    assert named == {(found[1].replace("_", "-"), found[2]) for found in folders if found}


@every_target
@every_layer
def test_every_hash_is_one_that_the_lock_allows(target: BuildTarget, layer: LayerBuild) -> None:
    allowed = set(re.findall(r"--hash=sha256:(\w{64})", layer.requirements_file(ROOT).read_text()))

    for part in _bill(target, layer)["components"]:
        assert [entry["alg"] for entry in part["hashes"]] == ["SHA-256"]
        assert {entry["content"] for entry in part["hashes"]} <= allowed
        assert part["purl"] == f"pkg:pypi/{part['name']}@{part['version']}"


@every_target
@every_layer
def test_every_package_states_a_licence(target: BuildTarget, layer: LayerBuild) -> None:
    assert [part["name"] for part in _bill(target, layer)["components"] if not part.get("licenses")] == []


def test_the_wheels_of_the_lambda_target_are_for_arm64() -> None:
    files = {part["name"]: part["properties"][0]["value"] for part in _bill(LAMBDA, LAYERS[0])["components"]}

    assert re.search(r"cp313-manylinux.*_aarch64\.whl$", files["pydantic-core"])
    assert files["boto3"].endswith("-none-any.whl")


def _bill(target: BuildTarget, layer: LayerBuild) -> Any:
    build(target, dist=DIST)
    return json.loads(Path(DIST, target.name, "layers", f"{layer.name}.cdx.json").read_text())
