"""The adapter that tunes the embedding model to questions and abstracts.

Goes in: the file of low-rank matrices that the package holds (`python -m eval train` makes it).
Comes out: the matrices, once the file's hash is found right. With the file missing or damaged the
untuned model is used, and the vectors are made anew for it (assistant/evidence/CARD.md has the figures).
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from index.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor

FILE = Path(__file__).parent / "encoder.safetensors"
SHA256 = "edd3a1a5df9c5e6f5174899d9876f5cc81d0148a3d29a12cc65c9c6cab3dd25f"
"""Of `FILE`, as shipped."""
STRENGTH = 0.75
"""The share of it that is folded into the weights: whole, it serves its own field hardly better and others worse (Wortsman et al.,
Robust fine-tuning of zero-shot models, 2022; figures in docs/LOG.md)."""


def verified(file: Path) -> str:
    """The file's SHA-256. Raises `ModelError` where it cannot be read, or is the shipped one and damaged."""
    try:
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"{file}: the embedding model's adapter cannot be read ({error.strerror}): reinstall paper-assistant") from error
    if file == FILE and found != SHA256:
        raise ModelError(
            f"{file}: this is not the embedding model's adapter (SHA-256 {found[:12]}…, expected {SHA256[:12]}…): reinstall paper-assistant"
        )
    return found


def matrices(file: Path) -> dict[str, Tensor]:
    """The low-rank matrices by the layer's path, for torch. Raises `ModelError` where the file holds something else."""
    import torch

    return {name: torch.from_numpy(matrix) for name, matrix in arrays(file).items()}


def arrays(file: Path) -> dict[str, NDArray[Any]]:
    """The same for numpy."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return dict(load_file(file))
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{file}: not an adapter of the embedding model ({error}): reinstall paper-assistant") from error
