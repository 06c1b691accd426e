"""The check's trained weights: where they are, whether they are whole, and the network they make.

Goes in: a file of low-rank adapters and heads (`eval/train/claims.py` makes it). Comes out: the network,
adapters folded into the embedding model's own layers. The file's hash is checked before it is
loaded; with another hash, or none there, rules check alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import ReaderError
from assistant.evidence import reader_weights

if TYPE_CHECKING:
    from assistant.verification.support_run import SupportRun

FILE = Path(__file__).parent / "support.safetensors"
SHA256 = "5a80424dc5a4eee0ab9481d18923296b0d26cc279afc525899d9c4b636d173b0"
"""Of `FILE`, as shipped."""
GRAPH = FILE.with_name("support.onnx")
"""The encoder with the check's heads: beside the encoder's inputs it takes `said` (1, tokens), 1 for a token of the sentence; it
gives the logits `support` (1,) and `wrong` (1, tokens)."""
_ADDED = "held.weight"
_MEND = "reinstall paper-assistant"


def verify(file: Path, sha256: str | None) -> None:
    """Raises `ReaderError` unless the file is there and has this hash; None accepts any."""
    reader_weights.verify(file, sha256, "the check's weights", _MEND)


def load(file: Path, base: Path) -> SupportRun:
    """What checks by these weights over the embedding model in the folder `base`.

    Raises `ReaderError` where the file does not hold such weights.
    """
    from safetensors import SafetensorError

    from assistant.verification.support_run import SupportRun
    from index.embedding.bert import Bert, with_adapters

    try:
        weights, heads = with_adapters(base, file)
        over = {name: matrix for name, matrix in heads.items() if name != _ADDED}
        return SupportRun(Bert(weights, graph=GRAPH, heads=over), heads[_ADDED])
    except (SafetensorError, KeyError, ValueError) as error:
        raise ReaderError(f"{file}: not the check's weights ({' '.join(str(error).split())}): {_MEND}") from error
