"""The encoder on a GPU, with torch: what `bert.py` gives, in half precision, to within 1e-2 of each number.

Goes in: the same weights and word pieces. Comes out: the last state of every token.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import BertConfig, BertModel

from index.embedding.base import Vectors
from index.embedding.onnx import Weights
from index.errors import ModelError


class TorchBert:
    """Safe to call from several threads."""

    def __init__(self, weights: Weights, folder: Path, device: str) -> None:
        """`folder`: of the model's configuration. Raises `ModelError` where there is no such device, `ValueError` for other weights."""
        if device == "cuda" and not torch.cuda.is_available():
            raise ModelError("no GPU can be used here: install a CUDA build of torch and NVIDIA's driver, or leave out --device")
        config = BertConfig.from_pretrained(folder, local_files_only=True)
        network = BertModel(config, add_pooling_layer=False)
        found = {name: torch.from_numpy(np.array(matrix)) for name, matrix in weights.items() if not name.startswith("pooler.")}
        lacking, unknown = network.load_state_dict(found, strict=False)
        if [name for name in (*lacking, *unknown) if not name.endswith("position_ids")]:
            raise ValueError(f"{', '.join((*lacking, *unknown))} missing or not known")
        self._network = network.train(False).requires_grad_(False).to(device=device, dtype=torch.float16)
        self._device = device

    @torch.inference_mode()
    def states(self, texts: Sequence[Sequence[int]], asked: Sequence[int] | None = None) -> Vectors:
        """As `Bert.states`."""
        ids = pad_sequence([torch.tensor(text) for text in texts], batch_first=True).to(self._device)
        lengths = torch.tensor([len(text) for text in texts], device=self._device)
        places = torch.arange(ids.shape[1], device=self._device)
        mask = (places < lengths[:, None]).long()
        types = torch.zeros_like(ids)
        if asked is not None:
            types = (places >= torch.tensor(asked, device=self._device)[:, None]).long() * mask
        states = self._network(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state
        return np.asarray(states.cpu().numpy(), dtype=np.float32)
