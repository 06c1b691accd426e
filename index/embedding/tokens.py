"""Word pieces as the embedding model takes them: its special tokens, its room, padding to one length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

CLS, SEP = 101, 102
"""The special tokens that begin and end a text."""
ROOM = 254
"""Word pieces that the model reads of a text, beside these two."""


def padded(texts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Ids with the special ones, and a mask that is 1 where there is a token: each of shape (texts, tokens)."""
    import torch

    ids = torch.zeros(len(texts), max(map(len, texts)) + 2, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for row, text in enumerate(texts):
        ids[row, : len(text) + 2] = torch.tensor([CLS, *text, SEP])
        mask[row, : len(text) + 2] = 1
    return ids, mask
