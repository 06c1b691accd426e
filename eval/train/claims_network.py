"""The network of the check, to train it: the embedding model itself as a cross-encoder that finds what an abstract does not bear out.

    [CLS] sentence [SEP] title abstract [SEP]

Goes in: token ids of a sentence and of a paper, each with a key that like words share. Comes out:
a logit that the paper supports the sentence, and for each of the sentence's tokens a logit that it
is wrong. Each token is told whether the other side holds its word, and the pair of words that it
ends. Hu et al., LoRA (2021), over the embedding model's layers. Knows no text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn
from transformers import BertModel

from assistant.verification.support_run import STATES, Tokens, row

_NEVER = -30.0
"""The logit of a token that is none."""


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
    rows = [row(sentence, paper) for sentence, paper in pairs]
    width = max(len(ids) for ids, _, _ in rows)
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    types, mask, states, said = (torch.zeros_like(ids) for _ in range(4))
    for number, (pieces, held, length) in enumerate(rows):
        ids[number, : len(pieces)] = torch.tensor(pieces)
        states[number, : len(pieces)] = torch.tensor(held)
        mask[number, : len(pieces)] = 1
        types[number, length + 2 : len(pieces)] = 1
        said[number, 1 : length + 1] = 1
    return Batch(ids, types, mask, states, said)


class SupportNetwork(nn.Module):
    """The cross-encoder with its heads."""

    def __init__(self, bert: BertModel) -> None:
        """`bert`: the embedding model's own; it becomes this network's."""
        super().__init__()
        width = bert.config.hidden_size
        self.bert = bert
        self.held = nn.Embedding(STATES, width)
        self.wrong = nn.Linear(width, 1)
        self.support = nn.Linear(2 * width + 1, 1)
        with torch.no_grad():
            self.held.weight.normal_(std=0.02)

    def forward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Logits that the sentences are supported, shape (pairs,), and that tokens are wrong, shape (pairs, tokens)."""
        embedded = self.bert.embeddings.word_embeddings(batch.ids) + self.held(batch.states)
        states = self.bert(inputs_embeds=embedded, token_type_ids=batch.types, attention_mask=batch.mask).last_hidden_state.float()
        return self.heads(states, batch.said)

    def heads(self, states: Tensor, said: Tensor) -> tuple[Tensor, Tensor]:
        """What the heads make of the encoder's states, shape (pairs, tokens, width). `said`: as a batch has it."""
        wrong = self.wrong(states).squeeze(2).masked_fill(said == 0, _NEVER)
        counted = said.to(states.dtype)
        mean = (states * counted.unsqueeze(2)).sum(1) / counted.sum(1, keepdim=True).clamp(min=1)
        worst = wrong.max(1, keepdim=True).values
        return self.support(torch.cat([states[:, 0], mean, worst / 5.0], 1)).squeeze(1), wrong
