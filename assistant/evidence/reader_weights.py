"""The reader's trained weights: where they are, whether they are whole, and the network they make.

Goes in: a file of low-rank adapters and heads (`eval/train` makes it). Comes out: the network, adapters folded into
the embedding model's own layers. The file's hash is checked before it is loaded; with another hash, or none there, the
assistant says so and works without.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import ReaderError

if TYPE_CHECKING:
    from index.embedding.bert import Bert

FILE = Path(__file__).parent / "reader.safetensors"
SHA256 = "130c0226f68651aff6a37d74b47e6880082a93a72a6436724df3b6814d96fd9a"
"""Of `FILE`, as shipped."""
GRAPH = FILE.with_name("reader.onnx")
"""The encoder with the reader's heads: beside the encoder's inputs it takes `sentence` (1, tokens), `search` (1, 4) and
`cosines` (1, sentences); it gives the logits `relevance`, `stance` (1, 3) and `evidence` (1, sentences)."""
_MEND = "reinstall paper-assistant, or train it anew with `python -m eval train`"


def verify(file: Path, sha256: str | None, named: str = "the reader's weights", mend: str = _MEND) -> None:
    """Raises `ReaderError` unless the file is there and has this hash; None accepts any. `named`, `mend`: for the error."""
    if not file.is_file():
        raise ReaderError(f"{file}: {named} are not there: {mend}")
    with file.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if sha256 is not None and found != sha256:
        raise ReaderError(f"{file}: these are not {named} (SHA-256 {found[:12]}…, expected {sha256[:12]}…): {mend}")


def load(file: Path, base: Path) -> Bert:
    """The network of these weights over the embedding model in the folder `base`.

    Raises `ReaderError` where the file does not hold such weights.
    """
    from safetensors import SafetensorError

    from index.embedding.bert import Bert, with_adapters

    try:
        weights, heads = with_adapters(base, file)
        return Bert(weights, graph=GRAPH, heads=heads)
    except (SafetensorError, KeyError, ValueError) as error:
        raise ReaderError(f"{file}: not a reader's weights ({' '.join(str(error).split())}): {_MEND}") from error
