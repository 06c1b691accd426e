"""The graphs that ONNX Runtime runs, written once and carried by the package, without their weights.

Goes in: the networks as torch has them, and the published encoder's configuration. Comes out: `bert.onnx`, `reader.onnx`,
`support.onnx` and `matcher.onnx` in their places. The encoder is put together of ONNX Runtime's own fused operators, which
torch's exporter does not use; the heads and the matcher are exported by torch. Anew only when
a network changes its structure.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import ModelProto, TensorProto, compose, helper
from torch import Tensor, nn
from torch.export import Dim
from transformers import BertConfig, BertModel

from assistant.evidence import matcher, reader_weights
from assistant.evidence.pairs import SEARCH_SCORES, STATE, WORD_SIGNALS
from assistant.verification import weights as support_weights
from eval.train.claims_network import SupportNetwork
from eval.train.matcher_network import MatchBatch, MatchNetwork
from eval.train.reader_network import ReaderNetwork
from index.embedding import bert

_FUSED = "com.microsoft"
_OPSETS = (("", 18), (_FUSED, 1))
_IR_VERSION = 10


def write(base: Path) -> list[Path]:
    """Writes all four for the encoder in the folder `base`; the files."""
    config = BertConfig.from_pretrained(base, local_files_only=True)
    bare = BertModel(config, add_pooling_layer=False)
    encoder = encoder_graph(config)
    graphs = {
        bert.GRAPH: encoder,
        reader_weights.GRAPH: _over(encoder, reader_heads(ReaderNetwork(bare))),
        support_weights.GRAPH: _over(encoder, support_heads(SupportNetwork(bare))),
        matcher.GRAPH: matcher_graph(MatchNetwork()),
    }
    for file, graph in graphs.items():
        file.write_bytes(graph.SerializeToString(deterministic=True))
    return list(graphs)


def encoder_graph(config: BertConfig) -> ModelProto:
    """From `embedded` (texts, tokens, width) and `mask` (texts, tokens) to `states` (texts, tokens, width)."""
    width, inner = config.hidden_size, config.intermediate_size
    norm = helper.make_node(
        "LayerNormalization", ["embedded", "norm.weight", "norm.bias"], ["states0"], epsilon=config.layer_norm_eps, axis=-1
    )
    nodes = [norm]
    sizes: dict[str, tuple[int, ...]] = {"norm.weight": (width,), "norm.bias": (width,)}
    for number in range(config.num_hidden_layers):
        out = "states" if number == config.num_hidden_layers - 1 else f"states{number + 1}"
        nodes += _layer(number, config.num_attention_heads, config.layer_norm_eps, out)
        sizes |= {f"{number}.{name}": size for name, size in _layer_sizes(width, inner).items()}
    graph = helper.make_graph(
        nodes,
        "encoder",
        [
            helper.make_tensor_value_info("embedded", TensorProto.FLOAT, ["texts", "tokens", width]),
            helper.make_tensor_value_info("mask", TensorProto.INT32, ["texts", "tokens"]),
        ],
        [helper.make_tensor_value_info("states", TensorProto.FLOAT, ["texts", "tokens", width])],
        [_handed_over(name, size) for name, size in sizes.items()],
    )
    return _model(graph)


def _layer(number: int, heads: int, epsilon: float, out: str) -> list[onnx.NodeProto]:
    def fused(kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> onnx.NodeProto:
        return helper.make_node(kind, inputs, [output], domain=_FUSED, **attributes)

    def of(*names: str) -> list[str]:
        return [f"{number}.{name}" for name in names]

    states = f"states{number}"
    norm = ("norm.weight", "norm.bias", "bias")
    return [
        fused("Attention", [states, *of("attention.weight", "attention.bias"), "mask"], f"{number}.a", num_heads=heads),
        helper.make_node("MatMul", of("a", "mixed.weight"), of("b")),
        fused("SkipLayerNormalization", [*of("b"), states, *of(*(f"mixed.{one}" for one in norm))], f"{number}.c", epsilon=epsilon),
        helper.make_node("MatMul", of("c", "inner.weight"), of("d")),
        fused("BiasGelu", of("d", "inner.bias"), f"{number}.e"),
        helper.make_node("MatMul", of("e", "outer.weight"), of("f")),
        fused("SkipLayerNormalization", of("f", "c", *(f"outer.{one}" for one in norm)), out, epsilon=epsilon),
    ]


def _layer_sizes(width: int, inner: int) -> dict[str, tuple[int, ...]]:
    sizes: dict[str, tuple[int, ...]] = {
        "attention.weight": (width, 3 * width),
        "mixed.weight": (width, width),
        "inner.weight": (width, inner),
        "outer.weight": (inner, width),
    }
    sizes |= {f"{name.removesuffix('.weight')}.bias": size[1:] for name, size in sizes.items()}
    return sizes | {f"{layer}.norm.{part}": (width,) for layer in ("mixed", "outer") for part in ("weight", "bias")}


class _ReaderHeads(nn.Module):
    def __init__(self, network: ReaderNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, states: Tensor, sentence: Tensor, search: Tensor, cosines: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        said = self.network.heads(states, sentence, search, cosines)
        return said.relevance, said.stance, said.evidence


def reader_heads(network: ReaderNetwork) -> ModelProto:
    """From `states`, `sentence`, `search` and `cosines` of one pair to `relevance`, `stance`, `evidence`."""
    width = network.bert.config.hidden_size
    inputs = {
        "states": (torch.randn(1, 30, width), {1: Dim("tokens")}),
        "sentence": (torch.arange(30)[None] % 4, {1: Dim("tokens")}),
        "search": (torch.randn(1, SEARCH_SCORES), {}),
        "cosines": (torch.randn(1, 3), {1: Dim("sentences")}),
    }
    return _exported(_ReaderHeads(network), inputs, ["relevance", "stance", "evidence"])


class _SupportHeads(nn.Module):
    def __init__(self, network: SupportNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, states: Tensor, said: Tensor) -> tuple[Tensor, Tensor]:
        support, wrong = self.network.heads(states, said)
        return support, wrong


def support_heads(network: SupportNetwork) -> ModelProto:
    """From `states` and `said` of one pair to `support` and `wrong`."""
    width = network.bert.config.hidden_size
    inputs = {
        "states": (torch.randn(1, 30, width), {1: Dim("tokens")}),
        "said": (torch.arange(30)[None] % 2, {1: Dim("tokens")}),
    }
    return _exported(_SupportHeads(network), inputs, ["support", "wrong"])


class _Matcher(nn.Module):
    def __init__(self, network: MatchNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, question: Tensor, signals: Tensor, paper: Tensor, sentence: Tensor, sentences: Tensor) -> tuple[Tensor, Tensor]:
        # One token that is none behind the paper's, so that a paper without tokens is read as well.
        held = nn.functional.pad(torch.ones_like(sentence), (0, 1)) > 0
        paper, sentence = nn.functional.pad(paper, (0, 0, 0, 1)), nn.functional.pad(sentence, (0, 1))
        asked = torch.ones_like(question[..., 0]) > 0
        stance, evidence = self.network(MatchBatch(question, asked, signals, paper, held, sentence, sentences))
        return stance, evidence


def matcher_graph(network: MatchNetwork) -> ModelProto:
    """From `question`, `signals`, `paper`, `sentence` and `sentences` of one pair to `stance` and `evidence`."""
    inputs = {
        "question": (nn.functional.normalize(torch.randn(1, 9, STATE), dim=-1), {1: Dim("pieces")}),
        "signals": (torch.randn(1, 9, WORD_SIGNALS), {1: Dim("pieces")}),
        "paper": (nn.functional.normalize(torch.randn(1, 60, STATE), dim=-1), {1: Dim("tokens")}),
        "sentence": (torch.arange(60)[None] % 6, {1: Dim("tokens")}),
        "sentences": (torch.arange(5), {0: Dim("count")}),
    }
    return _exported(_Matcher(network), inputs, ["stance", "evidence"])


def _exported(module: nn.Module, inputs: dict[str, tuple[Tensor, dict[int, Dim]]], outputs: list[str]) -> ModelProto:
    """By torch's exporter, its weights by the names that `state_dict` has for them, their numbers left out."""
    program = torch.onnx.export(
        module.eval(),
        tuple(example for example, _ in inputs.values()),
        dynamo=True,
        optimize=False,
        external_data=True,
        opset_version=_OPSETS[0][1],
        input_names=list(inputs),
        output_names=outputs,
        dynamic_shapes={name: sizes for name, (_, sizes) in inputs.items()},
        verbose=False,
    )
    assert program is not None
    graph = program.model_proto.graph
    del graph.value_info[:]
    renamed = {one.name: one.name.removeprefix("network.") for one in graph.initializer}
    weights = [_handed_over(renamed[one.name], tuple(one.dims)) for one in graph.initializer]
    del graph.initializer[:]
    graph.initializer.extend(weights)
    for node in graph.node:
        del node.metadata_props[:]  # which tell of this machine's files
        node.doc_string = ""
        node.input[:] = [renamed.get(name, name) for name in node.input]
    for value in (*graph.input, *graph.output):
        del value.metadata_props[:]
    return _model(graph)


def _over(encoder: ModelProto, heads: ModelProto) -> ModelProto:
    """The heads over the encoder's states, as one graph."""
    apart = compose.add_prefix_graph(heads.graph, "heads/", rename_inputs=False, rename_outputs=False, rename_initializers=False)
    return _model(compose.merge_graphs(encoder.graph, apart, io_map=[("states", "states")]))


def _model(graph: onnx.GraphProto) -> ModelProto:
    opsets = [helper.make_opsetid(domain, version) for domain, version in _OPSETS]
    return helper.make_model(graph, opset_imports=opsets, ir_version=_IR_VERSION, producer_name="")


def _handed_over(name: str, sizes: tuple[int, ...]) -> TensorProto:
    """A weight whose numbers are said to lie elsewhere: they are handed over before the graph is loaded."""
    tensor = TensorProto(name=name, dims=sizes, data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="handed over")
    return tensor
