"""The CycloneDX bill of materials of a layer: every package with version, purl, file hash and licence."""

import json
from datetime import UTC, datetime
from importlib.metadata import Distribution, distributions
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.spdx import fixup_id, is_expression
from packageurl import PackageURL

from scripts.build.packages import Wheel

CLASSIFIER = "License :: OSI Approved :: "


def bill_of_materials(layer: str, wheels: list[Wheel], installed: Path) -> str:
    """Return the SBOM as JSON, without a time and a random number: the same wheels give the same text."""
    licences = {_plain(found.name): _licences(found) for found in distributions(path=[str(installed)])}
    root = Component(name=f"membus-layer-{layer}", type=ComponentType.APPLICATION, bom_ref=layer)
    components = [_component(wheel, licences.get(_plain(wheel.name), [])) for wheel in wheels]
    bom = Bom(
        components=components,
        metadata=BomMetaData(component=root, timestamp=datetime.fromtimestamp(0, UTC)),
        serial_number=uuid5(NAMESPACE_URL, "".join(sorted(wheel.sha256 for wheel in wheels))),
    )
    bom.register_dependency(root, components)
    document = json.loads(JsonV1Dot6(bom).output_as_string())
    del document["metadata"]["timestamp"]  # the standard lets it out, the library does not
    return json.dumps(document, indent=2) + "\n"


def _component(wheel: Wheel, licences: list[License]) -> Component:
    purl = PackageURL("pypi", name=_plain(wheel.name), version=wheel.version)
    return Component(
        name=wheel.name,
        version=wheel.version,
        purl=purl,
        bom_ref=purl.to_string(),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=wheel.sha256)],
        licenses=licences,
        properties=[Property(name="membus:wheel", value=wheel.file)],
    )


def _licences(package: Distribution) -> list[License]:
    """Return the licences of a package: one that SPDX knows, else its classifiers, else its own words."""
    metadata, spdx = package.metadata.json, LicenseFactory()
    stated = str(metadata.get("license_expression") or metadata.get("license") or "")
    classifiers = [line for line in metadata.get("classifier", []) if line.startswith(CLASSIFIER)]
    if stated and (fixup_id(stated) or is_expression(stated) or not classifiers):
        return [spdx.make_from_string(stated)]
    return [spdx.make_from_string(line.removeprefix(CLASSIFIER)) for line in classifiers]


def _plain(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
