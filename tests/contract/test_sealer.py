"""The port Sealer: the same message gives the same seal, any other message and any other key another."""

from collections.abc import Iterator

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError

from membus.adapters.kms_sealer import KmsSealer
from membus.errors import UnavailableError
from membus.ports.sealer import Sealer
from tests.fakes.sealer import HmacSealer
from tests.strict import strict_aws


def kms_sealer() -> KmsSealer:
    kms = boto3.client("kms", region_name="us-east-1")
    key = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
    return KmsSealer(kms, key)


@pytest.fixture(params=["fake", "strict"])
def sealers(request: pytest.FixtureRequest) -> Iterator[tuple[Sealer, Sealer]]:
    if request.param == "fake":
        yield HmacSealer(b"one"), HmacSealer(b"two")
    else:
        with strict_aws():
            yield kms_sealer(), kms_sealer()


def test_a_seal_is_stable_long_and_the_messages_own(sealers: tuple[Sealer, Sealer]) -> None:
    sealer, other = sealers

    assert sealer.seal(b"message") == sealer.seal(b"message")
    assert len(sealer.seal(b"message")) == 32
    assert len({sealer.seal(b"message"), sealer.seal(b"massage"), other.seal(b"message")}) == 3


def test_a_key_out_of_reach_is_worth_another_try() -> None:
    def cut(**_: object) -> None:
        raise ConnectTimeoutError(endpoint_url="https://kms")

    with strict_aws():
        kms = boto3.client("kms", region_name="us-east-1")
        kms.meta.events.register_first("before-call.kms", cut)

        with pytest.raises(UnavailableError):
            KmsSealer(kms, "key").seal(b"message")
