"""What token states are projected with before they are kept: the directions in which they differ most.

Goes in: the file that the package holds (`python -m eval projection` makes it, of abstracts of several fields). Comes out:
the matrix, once the file's hash is found right. Knows no text.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import numpy as np

from index.embedding.base import Vectors
from index.errors import ModelError

FILE = Path(__file__).parent / "projection.safetensors"
SHA256 = "914393551ccde8fd16dbcafe33c2b718a740c35c4d4c0c4df86fbfd3f45ed1b5"
"""Of `FILE`, as shipped."""
_NAME = "projection"


@cache
def shipped() -> Vectors:
    """The matrix for the shipped model's token states, shape (dimension, kept). Raises `ModelError` where it is missing or damaged."""
    from safetensors.numpy import load

    try:
        content = FILE.read_bytes()
    except OSError as error:
        raise ModelError(f"{FILE}: the projection of token states cannot be read ({error.strerror}): reinstall paper-assistant") from error
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise ModelError(f"{FILE}: this is not the projection of token states (SHA-256 {found[:12]}…): reinstall paper-assistant")
    return np.asarray(load(content)[_NAME], dtype=np.float32)


def save(matrix: Vectors, file: Path) -> str:
    """Writes it in half precision, and gives the file's SHA-256."""
    from safetensors.numpy import save as as_bytes

    content = as_bytes({_NAME: matrix.astype(np.float16)})
    file.write_bytes(content)
    return hashlib.sha256(content).hexdigest()
