"""The network of the check: the embedding model itself as a cross-encoder that finds what an abstract does not bear out.

    [CLS] sentence [SEP] title abstract [SEP]

Goes in: token ids of a sentence and of a paper, each with a key that like words share. Comes out:
a logit that the paper supports the sentence, and for each of the sentence's tokens a logit that it
is wrong. Each token is told whether the other side holds its word, and the pair of words that it
ends. Hu et al., LoRA (2021), over the embedding model's layers. Knows no text.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

import torch
from torch import Tensor, nn
from transformers import BertModel

from index.embedding.tokens import CLS, SEP

MAX_TOKENS = 480
"""Of sentence and paper together; what is longer loses its end."""
MAX_SENTENCE_TOKENS = 160
_STATES = 4
"""Of a token: special; its word is not on the other side; it is; so is the pair of words that it ends."""
_NEVER = -30.0
"""The logit of a token that is none."""


@dataclass(frozen=True)
class Tokens:
    """A text's word pieces."""

    ids: Sequence[int]
    keys: Sequence[Hashable]
    """For each piece what its word is known by: like words share it."""


@dataclass(frozen=True)
class Batch:
    """Sentences with a paper each, as the network takes them."""

    ids: Tensor
    """Shape (pairs, tokens)."""
    types: Tensor
    """Shape (pairs, tokens): 0 for the sentence, 1 for the paper."""
    mask: Tensor
    """Shape (pairs, tokens): 1 for a token, 0 for padding."""
    states: Tensor
    """Shape (pairs, tokens): what the other side holds of it."""
    said: Tensor
    """Shape (pairs, tokens): 1 for a token of the sentence."""

    def to(self, device: torch.device | str) -> Batch:
        """The same on another device."""
        return Batch(*(getattr(self, field.name).to(device) for field in fields(self)))


def collate(pairs: Sequence[tuple[Tokens, Tokens]]) -> Batch:
    """Pads sentences with their papers to one length."""
    rows = [_row(sentence, paper) for sentence, paper in pairs]
    width = max(len(ids) for ids, _, _ in rows)
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    types, mask, states, said = (torch.zeros_like(ids) for _ in range(4))
    for number, (row, held, length) in enumerate(rows):
        ids[number, : len(row)] = torch.tensor(row)
        states[number, : len(row)] = torch.tensor(held)
        mask[number, : len(row)] = 1
        types[number, length + 2 : len(row)] = 1
        said[number, 1 : length + 1] = 1
    return Batch(ids, types, mask, states, said)


def _row(sentence: Tokens, paper: Tokens) -> tuple[list[int], list[int], int]:
    """Token ids, what the other side holds of each, and the number of the sentence's tokens."""
    length = min(len(sentence.ids), MAX_SENTENCE_TOKENS)
    room = MAX_TOKENS - length - 3
    ids = [CLS, *sentence.ids[:length], SEP, *paper.ids[:room], SEP]
    held = [0, *_held(sentence, paper)[:length], 0, *_held(paper, sentence)[:room], 0]
    return ids, held, length


def _held(text: Tokens, other: Tokens) -> list[int]:
    words, pairs = set(other.keys), set(_bigrams(other.keys))
    before: Hashable = None
    current: Hashable = None
    found = []
    for key in text.keys:
        if key != current:
            before, current = current, key
        found.append(3 if (before, key) in pairs else 2 if key in words else 1)
    return found


def _bigrams(keys: Sequence[Hashable]) -> list[tuple[Hashable, Hashable]]:
    words = [key for place, key in enumerate(keys) if place == 0 or key != keys[place - 1]]
    return list(pairwise(words))


class SupportNetwork(nn.Module):
    """The cross-encoder with its heads."""

    def __init__(self, bert: BertModel) -> None:
        """`bert`: the embedding model's own; it becomes this network's."""
        super().__init__()
        width = bert.config.hidden_size
        self.bert = bert
        self.held = nn.Embedding(_STATES, width)
        self.wrong = nn.Linear(width, 1)
        self.support = nn.Linear(2 * width + 1, 1)
        with torch.no_grad():
            self.held.weight.normal_(std=0.02)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Logits that the sentences are supported, shape (pairs,), and that tokens are wrong, shape (pairs, tokens)."""
        embedded = self.bert.embeddings.word_embeddings(batch.ids) + self.held(batch.states)
        states = self.bert(inputs_embeds=embedded, token_type_ids=batch.types, attention_mask=batch.mask).last_hidden_state.float()
        said = batch.said.to(states.dtype)
        wrong = self.wrong(states).squeeze(2).masked_fill(batch.said == 0, _NEVER)
        mean = (states * said.unsqueeze(2)).sum(1) / said.sum(1, keepdim=True).clamp(min=1)
        worst = wrong.max(1, keepdim=True).values
        return self.support(torch.cat([states[:, 0], mean, worst / 5.0], 1)).squeeze(1), wrong
