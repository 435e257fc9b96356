"""Sentence vectors of all-MiniLM-L6-v2 on onnxruntime, shaped as Titan's 256, 512 or 1,024 dimensions.

The request of Titan Text Embeddings V2, refused as Bedrock refuses it.

Writes all-MiniLM-L6-v2 as one ONNX graph, (ids, mask) to mean-pooled sentence vectors, from its weights.
"""

from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Literal

import numpy as np
import onnx
import onnxruntime
from numpy.typing import ArrayLike
from onnx import TensorProto, helper, numpy_helper
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from localstack.model.requests import ModelServerError
from localstack.model.tokens import Weights, count, load_tokenizer, load_weights

DIMENSIONS, HEADS, LAYERS, EPSILON = 384, 12, 6, 1e-12
MASKED = -1e9


class OnnxGraph:
    """The ONNX nodes and constants written so far; every method returns the name of what it added."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, onnx.TensorProto] = {}

    def add_constant(self, name: str, value: ArrayLike, dtype: type = np.float32) -> str:
        if name not in self.constants:
            self.constants[name] = numpy_helper.from_array(np.asarray(value, dtype=dtype, order="C"), name)
        return name

    def add_weight(self, name: str, *, transposed: bool = False) -> str:
        value = self.weights[name]
        return self.add_constant(name, value.T if transposed else value)

    def add_axes(self, *values: int) -> str:
        return self.add_constant(f"axes{values}", values, np.int64)

    def add_node(self, operation: str, *inputs: str, **attributes: Any) -> str:
        output = f"{operation}.{len(self.nodes)}"
        self.nodes.append(helper.make_node(operation, list(inputs), [output], **attributes))
        return output

    def add_layer_norm(self, x: str, name: str) -> str:
        scale, bias = self.add_weight(f"{name}.weight"), self.add_weight(f"{name}.bias")
        return self.add_node("LayerNormalization", x, scale, bias, axis=-1, epsilon=EPSILON)

    def add_dense(self, x: str, name: str) -> str:
        product = self.add_node("MatMul", x, self.add_weight(f"{name}.weight", transposed=True))
        return self.add_node("Add", product, self.add_weight(f"{name}.bias"))


def write_graph(weights: Weights, path: Path) -> None:
    """Write the graph beside `path` and move it there whole, so that no reader sees half a file."""
    graph = OnnxGraph(weights)
    mask = graph.add_node("Cast", "mask", to=TensorProto.FLOAT)
    x, bias = _embedded(graph), _attention_bias(graph, mask)
    for layer in range(LAYERS):
        x = _layer(graph, x, bias, f"encoder.layer.{layer}")
    _pooled(graph, x, mask)
    with NamedTemporaryFile(dir=path.parent, suffix=".partial", delete=False) as partial:
        partial.write(_model(graph).SerializeToString())
    Path(partial.name).replace(path)


def _embedded(graph: OnnxGraph) -> str:
    length = graph.add_node("Gather", graph.add_node("Shape", "ids"), graph.add_constant("one", 1, np.int64))
    zero, one = graph.add_constant("zero", 0, np.int64), graph.add_constant("one", 1, np.int64)
    positions = graph.add_node("Range", zero, length, one)
    words = graph.add_node("Gather", graph.add_weight("embeddings.word_embeddings.weight"), "ids")
    places = graph.add_node("Gather", graph.add_weight("embeddings.position_embeddings.weight"), positions)
    kind = graph.add_constant("type", graph.weights["embeddings.token_type_embeddings.weight"][0])
    return graph.add_layer_norm(
        graph.add_node("Add", graph.add_node("Add", words, places), kind), "embeddings.LayerNorm"
    )


def _attention_bias(graph: OnnxGraph, mask: str) -> str:
    inverted = graph.add_node(
        "Sub", graph.add_constant("unit", 1.0), graph.add_node("Unsqueeze", mask, graph.add_axes(1, 2))
    )
    return graph.add_node("Mul", inverted, graph.add_constant("masked", MASKED))


def _layer(graph: OnnxGraph, x: str, bias: str, name: str) -> str:
    attended = graph.add_dense(
        _attention(graph, x, bias, f"{name}.attention.self"), f"{name}.attention.output.dense"
    )
    x = graph.add_layer_norm(graph.add_node("Add", attended, x), f"{name}.attention.output.LayerNorm")
    wide = graph.add_node("Gelu", graph.add_dense(x, f"{name}.intermediate.dense"))
    return graph.add_layer_norm(
        graph.add_node("Add", graph.add_dense(wide, f"{name}.output.dense"), x), f"{name}.output.LayerNorm"
    )


def _attention(graph: OnnxGraph, x: str, bias: str, name: str) -> str:
    split = graph.add_constant("split", [0, 0, HEADS, DIMENSIONS // HEADS], np.int64)
    orders = {"query": [0, 2, 1, 3], "key": [0, 2, 3, 1], "value": [0, 2, 1, 3]}
    heads = {
        part: graph.add_node(
            "Transpose", graph.add_node("Reshape", graph.add_dense(x, f"{name}.{part}"), split), perm=order
        )
        for part, order in orders.items()
    }
    scale = graph.add_constant("scale", (DIMENSIONS / HEADS) ** 0.5)
    scores = graph.add_node("Div", graph.add_node("MatMul", heads["query"], heads["key"]), scale)
    shares = graph.add_node("Softmax", graph.add_node("Add", scores, bias), axis=-1)
    mixed = graph.add_node("Transpose", graph.add_node("MatMul", shares, heads["value"]), perm=[0, 2, 1, 3])
    return graph.add_node("Reshape", mixed, graph.add_constant("merge", [0, 0, DIMENSIONS], np.int64))


def _pooled(graph: OnnxGraph, x: str, mask: str) -> None:
    column = graph.add_node("Unsqueeze", mask, graph.add_axes(2))
    total = graph.add_node("ReduceSum", graph.add_node("Mul", x, column), graph.add_axes(1), keepdims=0)
    tokens = graph.add_node("ReduceSum", column, graph.add_axes(1), keepdims=0)
    graph.nodes.append(helper.make_node("Div", [total, tokens], ["vector"]))


def _model(graph: OnnxGraph) -> onnx.ModelProto:
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["b", "n"]) for name in ("ids", "mask")]
    outputs = [helper.make_tensor_value_info("vector", TensorProto.FLOAT, ["b", DIMENSIONS])]
    made = helper.make_graph(graph.nodes, "minilm", inputs, outputs, list(graph.constants.values()))
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


WINDOW_TOKENS = 256  # the length all-MiniLM-L6-v2 was trained on; what follows does not move the vector
GRAPH_FILE = "minilm.onnx"


class MiniLmEmbedder:
    """Embeds one text a call; onnxruntime's session may be called from several threads at once."""

    def __init__(self, cache: Path) -> None:
        self._tokenizer = load_tokenizer()
        self._tokenizer.enable_truncation(WINDOW_TOKENS)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # calls run side by side; threads inside one call would only queue
        self._session = onnxruntime.InferenceSession(
            str(_graph(cache)), options, providers=["CPUExecutionProvider"]
        )

    def embed_texts(self, text: str, dimensions: int, *, normalize: bool) -> list[float]:
        """Zero-pad the 384 dimensions of the model, or cut them, to `dimensions`."""
        ids = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
        (vectors,) = self._session.run(None, {"ids": ids, "mask": np.ones_like(ids)})
        vector = vectors[0][:dimensions]
        if normalize:
            vector = vector / np.linalg.norm(vector)
        padded = np.pad(vector, (0, max(0, dimensions - DIMENSIONS)))
        return [float(value) for value in padded]


def _graph(cache: Path) -> Path:
    path = cache / GRAPH_FILE
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        write_graph(load_weights(), path)
    return path


TITAN_CHARACTERS_MAX, TITAN_TOKENS_MAX = 50_000, 8192


class TitanRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")
    input_text: str = Field(alias="inputText")
    dimensions: Literal[256, 512, 1024] = 1024
    normalize: bool = True
    embedding_types: list[Literal["float"]] = Field(default_factory=list, alias="embeddingTypes")


def read_titan(body: dict[str, Any]) -> TitanRequest:
    try:
        wanted = TitanRequest.model_validate(body)
    except ValidationError as invalid:
        first = invalid.errors()[0]
        place = "/".join(str(part) for part in first["loc"])
        raise _malformed(f"#/{place}: {first['msg']}") from invalid
    length = len(wanted.input_text)
    if length < 1:
        raise _malformed("expected minLength: 1, actual: 0")
    if length > TITAN_CHARACTERS_MAX:
        raise _malformed(f"expected maxLength: {TITAN_CHARACTERS_MAX}, actual: {length}")
    if (tokens := count(wanted.input_text)) > TITAN_TOKENS_MAX:
        raise ModelServerError.invalid_request(
            f"400 Bad Request: Too many input tokens. Max input tokens: {TITAN_TOKENS_MAX}, "
            f"request input token count: {tokens}"
        )
    return wanted


def _malformed(complaint: str) -> ModelServerError:
    return ModelServerError.invalid_request(
        f"Malformed input request: {complaint}, please reformat your input and try again."
    )
