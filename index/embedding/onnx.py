"""A network on ONNX Runtime: a graph that the package carries, given its weights.

Goes in: a graph without weights (`python -m eval graphs` writes it), the weights by name, and arrays. Comes out:
arrays. The weights are handed over beside the graph, so that two networks can share them and none is copied. Knows
neither what a network does nor where its weights lie.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = Mapping[str, NDArray[Any]]
"""Matrices by name."""


class Network:
    """Safe to call from several threads."""

    def __init__(self, graph: Path, weights: Weights, threads: int = 0) -> None:
        """`threads`: that share one run; 0 for as many as there are cores, or as `OMP_NUM_THREADS` says.

        Raises `ValueError` for weights that are not those of the graph.
        """
        import onnxruntime

        # They must live as long as the session, which does not copy them.
        self._weights = {name: np.asarray(matrix, dtype=np.float32, order="C") for name, matrix in weights.items()}
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or int(os.environ.get("OMP_NUM_THREADS") or 0)
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # which keeps cores busy between two runs
        options.enable_mem_pattern = False  # which is kept for every length of text
        options.log_severity_level = 4
        values = [onnxruntime.OrtValue.ortvalue_from_numpy(matrix) for matrix in self._weights.values()]
        options.add_external_initializers(list(self._weights), values)
        try:
            self._session = onnxruntime.InferenceSession(graph.read_bytes(), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime has some dozen kinds, without a common one
            why = " ".join(str(error).split()).removeprefix("[ONNXRuntimeError] : 1 : FAIL : ")
            raise ValueError(f"{graph.name} cannot run with these weights: {why}") from error

    def run(self, **inputs: NDArray[Any]) -> list[NDArray[np.float32]]:
        """The graph's outputs, in its order."""
        found: list[NDArray[np.float32]] = self._session.run(None, inputs)
        return found
