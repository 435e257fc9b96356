"""The language models.

Each is asked how many tokens a word has, which costs nothing and proves key, name and way.
"""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from scripts.doctor.deployment import DeployedEnvironment
from scripts.doctor.findings import DENIED, Finding, fail, ok, skipped

MODEL_TIMEOUT_SECONDS = 10
MODEL_PAGE = "model"


def model(deployment: DeployedEnvironment) -> Iterator[Finding]:
    """From this machine: what a function's network lets through, its own log tells."""
    told = deployment.settings
    models = sorted(
        {value for key, value in told.items() if key.endswith("_MODEL_ID") and value and "EMBED" not in key}
    )
    if told.get("MODEL_PROVIDER") == "bedrock":
        for name in models:
            yield _bedrock(deployment, name)
        return
    try:
        secret = deployment.client("secretsmanager").get_secret_value(SecretId=told["MODEL_SECRET_ID"])[
            "SecretString"
        ]
    except ClientError as error:
        if error.response["Error"]["Code"] not in DENIED:
            raise
        yield skipped("models", "you may not read the key, and without it nobody answers")
        return
    for name in models:
        yield _anthropic(name, secret, told.get("ANTHROPIC_BASE_URL"))


def _anthropic(name: str, key: str, address: str | None) -> Finding:
    from anthropic import Anthropic, AnthropicError  # noqa: PLC0415 - takes most of a second, for this check alone

    about = f"model {name}"
    try:
        with Anthropic(api_key=key, base_url=address, max_retries=0, timeout=MODEL_TIMEOUT_SECONDS) as client:
            client.messages.count_tokens(model=name, messages=[{"role": "user", "content": "hello"}])
    except AnthropicError as error:
        return fail(
            about,
            f"does not answer: {type(error).__name__}",
            "see the provider's status and the key",
            MODEL_PAGE,
        )
    return ok(about, "answers")


def _bedrock(deployment: DeployedEnvironment, name: str) -> Finding:
    about = f"model {name}"
    body: Any = {"converse": {"messages": [{"role": "user", "content": [{"text": "hello"}]}]}}
    try:
        deployment.client("bedrock-runtime").count_tokens(modelId=name, input=body)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in DENIED:
            return skipped(about, "you may not count its tokens")
        return fail(
            about, f"does not answer: {code}", "see that the account may use it, in this region", MODEL_PAGE
        )
    return ok(about, "answers")
