"""The reader's trained weights: where they are, whether they are whole, and the network they make.

Goes in: a file of low-rank adapters and heads (`eval/train` makes it). Comes out: the network,
adapters folded into the embedding model's own layers. The file's hash is checked before it is
loaded; with another hash, or none there, the assistant says so and works without. `load_run` makes what
answers questions, `load_network` the same for torch.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import ReaderError

if TYPE_CHECKING:
    from assistant.evidence.reader_inference import ReaderRun
    from assistant.evidence.reader_network import ReaderNetwork

FILE = Path(__file__).parent / "reader.safetensors"
SHA256 = "130c0226f68651aff6a37d74b47e6880082a93a72a6436724df3b6814d96fd9a"
"""Of `FILE`, as shipped."""
HEADS = {f"{head}.{part}" for head in ("relevance", "stance", "evidence") for part in ("weight", "bias")}
"""What the file holds beside adapters."""
_MEND = "reinstall paper-assistant, or train it anew with `python -m eval train`"


def verify(file: Path, sha256: str | None, named: str = "the reader's weights", mend: str = _MEND) -> None:
    """Raises `ReaderError` unless the file is there and has this hash; None accepts any. `named`, `mend`: for the error."""
    if not file.is_file():
        raise ReaderError(f"{file}: {named} are not there: {mend}")
    with file.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if sha256 is not None and found != sha256:
        raise ReaderError(f"{file}: these are not {named} (SHA-256 {found[:12]}…, expected {sha256[:12]}…): {mend}")


def load_run(file: Path, base: Path) -> ReaderRun:
    """The network of these weights over the embedding model in the folder `base`.

    Raises `ReaderError` where the file does not hold such weights.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    from assistant.evidence.reader_inference import Heads, ReaderRun
    from index.embedding.bert import Bert, load, merged

    weights, shape = load(base)
    try:
        found = load_file(file)
        matrices = {name.removeprefix("bert."): value for name, value in found.items() if name.startswith("bert.")}
        bert = Bert(merged(weights, matrices), shape)
        heads = {name: value for name, value in found.items() if not name.startswith("bert.")}
        if heads.keys() != HEADS:
            raise ReaderError(f"{file}: not a whole reader: {_MEND}")
        return ReaderRun(bert, Heads.of(heads, shape.width))
    except (SafetensorError, KeyError, ValueError) as error:
        raise ReaderError(f"{file}: not a reader's weights ({' '.join(str(error).split())}): {_MEND}") from error


def load_network(file: Path, base: Path) -> ReaderNetwork:
    """The network of these weights over the embedding model in the folder `base`.

    Raises `ReaderError` where the file does not hold such weights.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from transformers import BertModel
    from transformers.utils import logging

    from assistant.evidence.reader_network import ReaderNetwork
    from index.embedding.lora import merge

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # a bar of its own for 0.1 s of loading
    told = logging.get_verbosity()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # it would report the pooling layer, which nobody needs
    network = ReaderNetwork(BertModel.from_pretrained(base, add_pooling_layer=False, dtype=torch.float32, local_files_only=True))
    logging.set_verbosity(told)
    try:
        weights = {name: value.float() for name, value in load_file(file).items()}
        heads = {name: value for name, value in weights.items() if not name.startswith("bert.")}
        merge(network, {name: value for name, value in weights.items() if name.startswith("bert.")})
        missing, unexpected = network.load_state_dict(heads, strict=False)
    except (SafetensorError, KeyError, RuntimeError) as error:
        raise ReaderError(f"{file}: not a reader's weights ({' '.join(str(error).split())}): {_MEND}") from error
    if unexpected or any(not name.startswith("bert.") for name in missing):
        raise ReaderError(f"{file}: not a whole reader: {_MEND}")
    return network.eval().requires_grad_(False)
