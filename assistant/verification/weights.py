"""The check's trained weights: where they are, whether they are whole, and the network they make.

Goes in: a file of low-rank adapters and heads (`eval/train/claims.py` makes it). Comes out: the network,
adapters folded into the embedding model's own layers. The file's hash is checked before it is
loaded; with another hash, or none there, rules check alone. `load_run` makes what checks sentences,
`load_network` the same for torch, to train.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from assistant.errors import ReaderError
from assistant.evidence import reader_weights

if TYPE_CHECKING:
    from assistant.verification.network import SupportNetwork
    from assistant.verification.support_run import SupportRun

FILE = Path(__file__).parent / "support.safetensors"
SHA256 = "5a80424dc5a4eee0ab9481d18923296b0d26cc279afc525899d9c4b636d173b0"
"""Of `FILE`, as shipped."""
_MEND = "reinstall paper-assistant"
_HEADS = ("held", "wrong", "support")


def verify(file: Path, sha256: str | None) -> None:
    """Raises `ReaderError` unless the file is there and has this hash; None accepts any."""
    reader_weights.verify(file, sha256, "the check's weights", _MEND)


def load_run(file: Path, base: Path) -> SupportRun:
    """What checks by these weights over the embedding model in the folder `base`.

    Raises `ReaderError` where the file does not hold such weights.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    from assistant.verification.support_run import Heads, SupportRun
    from index.embedding.bert import Bert, load, merged

    weights, shape = load(base)
    try:
        found = load_file(file)
        matrices = {name.removeprefix("bert."): value for name, value in found.items() if name.startswith("bert.")}
        heads = Heads.of({name: value for name, value in found.items() if not name.startswith("bert.")}, shape.width)
        return SupportRun(Bert(merged(weights, matrices), shape), heads)
    except (SafetensorError, KeyError, ValueError) as error:
        raise ReaderError(f"{file}: not the check's weights ({' '.join(str(error).split())}): {_MEND}") from error


def load_network(file: Path, base: Path) -> SupportNetwork:
    """The same as a network of torch.

    Raises `ReaderError` where the file does not hold such weights.
    """
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file
    from transformers import BertModel
    from transformers.utils import logging

    from assistant.verification.network import SupportNetwork
    from index.embedding.lora import merge

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # a bar of its own for 0.1 s of loading
    told = logging.get_verbosity()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # it would report the pooling layer, which nobody needs
    network = SupportNetwork(BertModel.from_pretrained(base, add_pooling_layer=False, dtype=torch.float32, local_files_only=True))
    logging.set_verbosity(told)
    try:
        held = {name: value.float() for name, value in load_file(file).items()}
        merge(network, {name: value for name, value in held.items() if name.startswith("bert.")})
        heads = {name: value for name, value in held.items() if not name.startswith("bert.")}
        missing, unexpected = network.load_state_dict(heads, strict=False)
    except (SafetensorError, KeyError, RuntimeError) as error:
        raise ReaderError(f"{file}: not the check's weights ({' '.join(str(error).split())}): {_MEND}") from error
    if unexpected or any(name.startswith(_HEADS) for name in missing):
        raise ReaderError(f"{file}: not the whole of the check's weights: {_MEND}")
    return network.eval().requires_grad_(False)
