"""A BERT encoder on ONNX Runtime, from the weights that Hugging Face's format holds, with or without heads over it.

Goes in: weights by their layer's path, low-rank adapters to fold in, and word pieces. Comes out: the last
state of every token, as transformers computes it to within 1e-5, or what a graph's heads make of them. ONNX Runtime
comes with Chroma, starts in a tenth of the time that torch and transformers take, and is the faster of the two;
training uses the others (`eval/train`). Knows no text, no pooling.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.embedding.base import Vectors
from index.embedding.onnx import Network, Weights
from index.embedding.tokens import CLS, SEP

GRAPH = Path(__file__).parent / "bert.onnx"
"""From `embedded` (texts, tokens, width) and `mask` (texts, tokens) to `states` (texts, tokens, width)."""


def load(folder: Path) -> Weights:
    """The weights in a model's folder, where they lie in their file, so that those of rare words are not even read."""
    held = np.asarray(np.memmap(folder / "model.safetensors", dtype=np.uint8, mode="r"))
    start = 8 + int.from_bytes(held[:8].tobytes(), "little")
    told = json.loads(held[8:start].tobytes())
    kinds: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "I64": np.dtype("<i8")}
    return {
        name: held[start + one["data_offsets"][0] : start + one["data_offsets"][1]].view(kinds[one["dtype"]]).reshape(one["shape"])
        for name, one in told.items()
        if name != "__metadata__"
    }


def merged(weights: Weights, matrices: Weights, strength: float = 1.0) -> Weights:
    """The weights with adapters (`PATH.down`, `PATH.up`) folded in, at a share of their strength.

    Raises `KeyError` or `ValueError` for those of another model.
    """
    found = dict(weights)
    for name, down in matrices.items():
        path, _, which = name.rpartition(".")
        if which == "down":
            up = np.float32(strength) * matrices[f"{path}.up"].astype(np.float32)
            found[f"{path}.weight"] = weights[f"{path}.weight"] + up @ down.astype(np.float32)
    return found


def with_adapters(folder: Path, file: Path) -> tuple[Weights, Weights]:
    """The weights in a model's folder with the adapters of a file (`bert.PATH.down`) folded in, and what else the file holds.

    Raises `KeyError`, `ValueError` or `SafetensorError` for another file.
    """
    from safetensors.numpy import load_file

    found = load_file(file)
    adapters = {name.removeprefix("bert."): matrix for name, matrix in found.items() if name.startswith("bert.")}
    return merged(load(folder), adapters), {name: matrix for name, matrix in found.items() if not name.startswith("bert.")}


class Bert:
    """Safe to call from several threads."""

    def __init__(self, weights: Weights, threads: int = 0, graph: Path = GRAPH, heads: Weights | None = None) -> None:
        """`threads`: as `Network`. `graph`: the encoder's, or one with heads over it. `heads`: their weights.

        Raises `KeyError` or `ValueError` for weights of another shape.
        """
        self._words = weights["embeddings.word_embeddings.weight"]
        self._places = weights["embeddings.position_embeddings.weight"]
        self._types = weights["embeddings.token_type_embeddings.weight"]
        self._network = Network(graph, {**_handed(weights), **(heads or {})}, threads)

    def states(self, texts: Sequence[Sequence[int]], asked: Sequence[int] | None = None) -> Vectors:
        """The last states, shape (texts, longest, width), of texts of word pieces with their special ones.

        `asked`: for each text how many of its pieces are of the first of two parts; by default all.
        """
        return self.run(texts, asked)[0]

    def run(
        self, texts: Sequence[Sequence[int]], asked: Sequence[int] | None = None, added: Vectors | None = None, **inputs: NDArray[Any]
    ) -> list[NDArray[np.float32]]:
        """The graph's outputs. `asked`: as for `states`. `added`: to each piece's embedding, shape (texts, longest, width).

        `inputs`: what the graph's heads take.
        """
        longest = max(map(len, texts))
        ids = np.zeros((len(texts), longest), dtype=np.int64)
        types = np.zeros_like(ids)
        mask = np.zeros(ids.shape, dtype=np.int32)
        for row, text in enumerate(texts):
            ids[row, : len(text)] = text
            mask[row, : len(text)] = 1
            if asked is not None:
                types[row, asked[row] : len(text)] = 1
        embedded = self._words[ids] + self._places[:longest] + self._types[types]
        if added is not None:
            embedded = embedded + added
        return self._network.run(embedded=embedded, mask=mask, **inputs)


def framed(pieces: Sequence[int]) -> list[int]:
    """With the special ones."""
    return [CLS, *pieces, SEP]


def _handed(weights: Weights) -> Weights:
    """The weights as the graph names and takes them. Raises `KeyError` or `ValueError` for others."""

    def dense(path: str) -> tuple[NDArray[Any], NDArray[Any]]:
        return weights[f"{path}.weight"].T, weights[f"{path}.bias"]

    found: dict[str, NDArray[Any]] = {}

    def put(name: str, matrix: NDArray[Any], bias: NDArray[Any]) -> None:
        found[f"{name}.weight"], found[f"{name}.bias"] = matrix, bias

    def put_norm(name: str, path: str) -> None:
        put(name, weights[f"{path}.weight"], weights[f"{path}.bias"])

    put_norm("norm", "embeddings.LayerNorm")
    for number in range(_layers(weights)):
        layer = f"encoder.layer.{number}"
        attention = [dense(f"{layer}.attention.self.{part}") for part in ("query", "key", "value")]
        put(f"{number}.attention", np.hstack([matrix for matrix, _ in attention]), np.hstack([bias for _, bias in attention]))
        put(f"{number}.mixed", *dense(f"{layer}.attention.output.dense"))
        put_norm(f"{number}.mixed.norm", f"{layer}.attention.output.LayerNorm")
        put(f"{number}.inner", *dense(f"{layer}.intermediate.dense"))
        put(f"{number}.outer", *dense(f"{layer}.output.dense"))
        put_norm(f"{number}.outer.norm", f"{layer}.output.LayerNorm")
    return found


def _layers(weights: Weights) -> int:
    return 1 + max(int(name.split(".")[2]) for name in weights if name.startswith("encoder.layer."))
