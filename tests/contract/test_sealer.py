"""The port Sealer: the same message gives the same seal, any other message and any other key another."""

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError

from membus.aws.secrets import KmsCursorSigner
from membus.core.errors import UnavailableError
from membus.core.pages import CursorSigner
from tests.fakes.cursor_signer import HmacCursorSigner
from tests.strict import strict_aws
from tests.support.backends import AwsBackend, DeployedAws, OnEveryBackend, StrictAws


def kms_sealer(aws: AwsBackend) -> KmsCursorSigner:
    kms = aws.make_client("kms")
    if isinstance(aws, DeployedAws):
        return KmsCursorSigner(kms, "alias/membus-local-cursors")
    key = kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]["KeyId"]
    return KmsCursorSigner(kms, key)


@pytest.fixture
def sealer(on_every_backend: OnEveryBackend) -> CursorSigner:
    return on_every_backend(HmacCursorSigner, kms_sealer)


def test_signature_is_stable_and_specific_to_its_message(sealer: CursorSigner) -> None:
    assert (
        sealer.sign_message(b"message") == sealer.sign_message(b"message") != sealer.sign_message(b"massage")
    )
    assert len(sealer.sign_message(b"message")) == 32


def test_another_key_makes_another_signature() -> None:
    with strict_aws():
        assert kms_sealer(StrictAws()).sign_message(b"message") != kms_sealer(StrictAws()).sign_message(
            b"message"
        )
    assert HmacCursorSigner(b"one").sign_message(b"message") != HmacCursorSigner(b"two").sign_message(
        b"message"
    )


def test_unreachable_signing_key_is_unavailable() -> None:
    def cut(**_: object) -> None:
        raise ConnectTimeoutError(endpoint_url="https://kms")

    with strict_aws():
        kms = boto3.client("kms", region_name="us-east-1")
        kms.meta.events.register_first("before-call.kms", cut)

        with pytest.raises(UnavailableError):
            KmsCursorSigner(kms, "key").sign_message(b"message")
