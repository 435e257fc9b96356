"""The port EmbeddingModel over Bedrock: every vector is checked; retryable failures are told apart."""

import io
import json
import math
import threading
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import ReadTimeoutError

from membus.llm.titan import CHARACTERS_MAX, DIMENSIONS, TitanEmbeddings

GOOD = [1.0] + [0.0] * (DIMENSIONS - 1)
Answer = Callable[[str], Any]


class Bedrock:
    """The line to Bedrock: `answer` is asked for each text, and every request body is kept."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.bodies: list[dict[str, Any]] = []
        self.models: set[str] = set()
        self._lock = threading.Lock()

    def client(self) -> Any:
        client: Any = boto3.client(
            "bedrock-runtime", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        client.meta.events.register_first("before-call.bedrock-runtime.InvokeModel", self._serve)
        return client

    def _serve(self, *, params: dict[str, Any], **_: object) -> Any:
        body = json.loads(params["body"])
        with self._lock:
            self.bodies.append(body)
            self.models.add(params["url_path"])
        said = self.answer(body["inputText"])
        if isinstance(said, Exception):
            raise said
        if isinstance(said, str):
            return AWSResponse("https://bedrock", 400, HTTPHeaders(), None), {
                "Error": {"Code": said, "Message": ""}
            }
        return AWSResponse("https://bedrock", 200, HTTPHeaders(), None), {
            "body": io.BytesIO(json.dumps(said).encode())
        }


@pytest.fixture
def embeddings() -> "Make":
    def make(answer: Answer) -> tuple[TitanEmbeddings, Bedrock]:
        bedrock = Bedrock(answer)
        return TitanEmbeddings(bedrock.client(), "titan"), bedrock

    return make


Make = Callable[[Answer], tuple[TitanEmbeddings, Bedrock]]


def test_each_text_is_embedded_once_in_the_request_format_of_titan(embeddings: Make) -> None:
    titan, bedrock = embeddings(lambda _: {"embedding": GOOD})

    embedded = titan.embed_texts(["tea", "coffee", "tea"])

    assert (dict(embedded.vectors), embedded.refused) == ({"tea": GOOD, "coffee": GOOD}, frozenset())
    assert sorted(body["inputText"] for body in bedrock.bodies) == ["coffee", "tea"]
    assert {(body["dimensions"], body["normalize"]) for body in bedrock.bodies} == {(1024, True)}
    assert bedrock.models == {"/model/titan/invoke"}


def test_many_texts_come_back_each_with_its_own_vector(embeddings: Make) -> None:
    titan, _ = embeddings(lambda text: {"embedding": [float(text), *GOOD[1:]]})
    texts = [str(number) for number in range(1, 40)]

    assert {text: vector[0] for text, vector in titan.embed_texts(texts).vectors.items()} == {
        text: float(text) for text in texts
    }


@pytest.mark.parametrize(
    "answer",
    [
        {"embedding": GOOD[:-1]},
        {"embedding": [0.0] * DIMENSIONS},
        {"embedding": [math.nan, *GOOD[1:]]},
        {"embedding": [math.inf, *GOOD[1:]]},
        {"embedding": "x"},
        {"embedding": None},
        {},
        ["x"],
        "ThrottlingException",
        ReadTimeoutError(endpoint_url="https://bedrock"),
    ],
)
def test_text_with_an_invalid_vector_stays_pending(embeddings: Make, answer: Any) -> None:
    titan, _ = embeddings(lambda text: answer if text == "bad" else {"embedding": GOOD})

    embedded = titan.embed_texts(["good", "bad"])

    assert (set(embedded.vectors), embedded.refused) == ({"good"}, frozenset())


def test_text_that_titan_rejects_is_refused(embeddings: Make) -> None:
    titan, bedrock = embeddings(lambda _: "ValidationException")
    long = "x" * (CHARACTERS_MAX + 1)

    embedded = titan.embed_texts(["y", long, ""])

    assert not embedded.vectors
    assert embedded.refused == {"y", long, ""}
    assert [body["inputText"] for body in bedrock.bodies] == ["y"]


def test_no_texts_call_no_model(embeddings: Make) -> None:
    titan, bedrock = embeddings(lambda _: "ValidationException")

    assert dict(titan.embed_texts([]).vectors) == {}
    assert bedrock.bodies == []
