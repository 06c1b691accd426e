"""A BERT encoder on ONNX Runtime, from the weights that Hugging Face's format holds.

Goes in: weights by their layer's path, low-rank adapters to fold in, and word pieces. Comes out: the last
state of every token, as transformers computes it to within 1e-5. ONNX Runtime comes with Chroma, starts in
a tenth of the time that torch and transformers take, and is the faster of the two; training uses the others
(`eval/train`). Knows no text, no pooling, no head.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from index.embedding import onnx
from index.embedding.base import Vectors
from index.embedding.tokens import CLS, SEP

Weights = Mapping[str, NDArray[Any]]
"""Matrices by the path of their layer."""


def load(folder: Path) -> tuple[Weights, onnx.Shape]:
    """The weights of a model's folder, and its shape."""
    told = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    shape = onnx.Shape(
        told["num_hidden_layers"], told["num_attention_heads"], told["hidden_size"], told["intermediate_size"], told["layer_norm_eps"]
    )
    return _mapped(folder / "model.safetensors"), shape


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


def _mapped(file: Path) -> dict[str, NDArray[Any]]:
    """The matrices of a safetensors file where they lie, so that those of rare words are not even read."""
    held = np.asarray(np.memmap(file, dtype=np.uint8, mode="r"))
    start = 8 + int.from_bytes(held[:8].tobytes(), "little")
    told = json.loads(held[8:start].tobytes())
    kinds: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "I64": np.dtype("<i8")}
    return {
        name: held[start + one["data_offsets"][0] : start + one["data_offsets"][1]].view(kinds[one["dtype"]]).reshape(one["shape"])
        for name, one in told.items()
        if name != "__metadata__"
    }


class Bert:
    """Safe to call from several threads."""

    def __init__(self, weights: Weights, shape: onnx.Shape, threads: int = 0) -> None:
        """`threads`: that share one run; 0 for as many as there are cores, or as `OMP_NUM_THREADS` says.

        Raises `KeyError` or `ValueError` for weights of another shape.
        """
        import onnxruntime

        self._words = weights["embeddings.word_embeddings.weight"]
        self._places = weights["embeddings.position_embeddings.weight"]
        self._types = weights["embeddings.token_type_embeddings.weight"]
        self._handed = _handed(weights, shape)  # must live as long as the session, which does not copy them
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or int(os.environ.get("OMP_NUM_THREADS") or 0)
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # which keeps cores busy between two runs
        options.enable_mem_pattern = False  # which is kept for every length of text
        options.log_severity_level = 3
        options.add_external_initializers(list(self._handed), [onnxruntime.OrtValue.ortvalue_from_numpy(v) for v in self._handed.values()])
        self._session = onnxruntime.InferenceSession(onnx.encoder(shape), options, providers=["CPUExecutionProvider"])

    def states(self, texts: Sequence[Sequence[int]], asked: Sequence[int] | None = None, added: Vectors | None = None) -> Vectors:
        """The last states, shape (texts, longest, width), of texts of word pieces with their special ones.

        `asked`: for each text how many of its pieces are of the first of two parts; by default all.
        `added`: to each piece's embedding, shape (texts, longest, width).
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
        (states,) = self._session.run(["states"], {"embedded": embedded, "mask": mask})
        return np.asarray(states)


def framed(pieces: Sequence[int]) -> list[int]:
    """With the special ones."""
    return [CLS, *pieces, SEP]


def _handed(weights: Weights, shape: onnx.Shape) -> dict[str, NDArray[np.float32]]:
    """The weights as the graph names and takes them."""

    def dense(path: str) -> tuple[NDArray[Any], NDArray[Any]]:
        return weights[f"{path}.weight"].T, weights[f"{path}.bias"]

    found: dict[str, NDArray[Any]] = {}

    def put(name: str, matrix: NDArray[Any], bias: NDArray[Any]) -> None:
        found[f"{name}.weight"], found[f"{name}.bias"] = matrix, bias

    def put_norm(name: str, path: str) -> None:
        put(name, weights[f"{path}.weight"], weights[f"{path}.bias"])

    put_norm("norm", "embeddings.LayerNorm")
    for number in range(shape.layers):
        layer = f"encoder.layer.{number}"
        attention = [dense(f"{layer}.attention.self.{part}") for part in ("query", "key", "value")]
        put(f"{number}.attention", np.hstack([matrix for matrix, _ in attention]), np.hstack([bias for _, bias in attention]))
        put(f"{number}.mixed", *dense(f"{layer}.attention.output.dense"))
        put_norm(f"{number}.mixed.norm", f"{layer}.attention.output.LayerNorm")
        put(f"{number}.inner", *dense(f"{layer}.intermediate.dense"))
        put(f"{number}.outer", *dense(f"{layer}.output.dense"))
        put_norm(f"{number}.outer.norm", f"{layer}.output.LayerNorm")
    for name, size in onnx.initializers(shape).items():
        if found[name].shape != size:
            raise ValueError(f"{name} has the shape {found[name].shape}, not {size}")
    return {name: np.ascontiguousarray(matrix, dtype=np.float32) for name, matrix in found.items()}
