"""The port Sealer: the same message gives the same seal, any other message and any other key another."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError

from localstack import aws
from membus.adapters.kms_sealer import KmsSealer
from membus.errors import UnavailableError
from membus.ports.sealer import Sealer
from tests.contract.conftest import EVERYWHERE
from tests.fakes.sealer import HmacSealer
from tests.strict import strict_aws

if TYPE_CHECKING:
    from localstack.stack_file import Stack


def kms_sealer() -> KmsSealer:
    kms = boto3.client("kms", region_name="us-east-1")
    key = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
    return KmsSealer(kms, key)


@pytest.fixture(params=EVERYWHERE)
def sealer(request: pytest.FixtureRequest) -> Iterator[Sealer]:
    if request.param == "fake":
        yield HmacSealer()
    elif request.param == "strict":
        with strict_aws():
            yield kms_sealer()
    else:
        stack: Stack = request.getfixturevalue("stack")
        kms = aws.session().client("kms", endpoint_url=stack.endpoint_url)
        yield KmsSealer(kms, "alias/membus-local-cursors")


def test_a_seal_is_stable_long_and_the_messages_own(sealer: Sealer) -> None:
    assert sealer.seal(b"message") == sealer.seal(b"message") != sealer.seal(b"massage")
    assert len(sealer.seal(b"message")) == 32


def test_another_key_makes_another_seal() -> None:
    with strict_aws():
        assert kms_sealer().seal(b"message") != kms_sealer().seal(b"message")
    assert HmacSealer(b"one").seal(b"message") != HmacSealer(b"two").seal(b"message")


def test_a_key_out_of_reach_is_worth_another_try() -> None:
    def cut(**_: object) -> None:
        raise ConnectTimeoutError(endpoint_url="https://kms")

    with strict_aws():
        kms = boto3.client("kms", region_name="us-east-1")
        kms.meta.events.register_first("before-call.kms", cut)

        with pytest.raises(UnavailableError):
            KmsSealer(kms, "key").seal(b"message")
