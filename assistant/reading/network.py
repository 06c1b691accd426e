"""The reader's network: the embedding model itself as a cross-encoder, with low-rank adapters and four heads.

    [CLS] question [SEP] title sentence sentence ... [SEP]

Goes in: token ids of a question and of a paper's title and sentences. Comes out: how relevant the
paper is, which of three things it does with the question (answers it, contradicts what it takes
for granted, says nothing of it), and for each sentence whether it is evidence. Hu et al., LoRA:
Low-Rank Adaptation of Large Language Models (2021). Knows no text, no library, no decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import BertModel

STANCES = ("answers", "contradicts", "silent")
"""What a paper does with a question."""
ADAPTED = ("query", "key", "value", "attention.output.dense", "intermediate.dense", "output.dense")
"""The layers of each block that carry an adapter."""
CLS, SEP, PAD = 101, 102, 0
MAX_TOKENS = 448
"""Of question and paper together; what is longer loses its last sentences."""
MAX_QUESTION_TOKENS = 96


@dataclass(frozen=True)
class Pair:
    """A question and a paper, as token ids without the special ones."""

    question: Sequence[int]
    title: Sequence[int]
    sentences: Sequence[Sequence[int]]


@dataclass(frozen=True)
class Batch:
    """Pairs as the network takes them."""

    ids: Tensor
    """Shape (pairs, tokens)."""
    types: Tensor
    """Shape (pairs, tokens): 0 for the question, 1 for the paper."""
    mask: Tensor
    """Shape (pairs, tokens): 1 for a token, 0 for padding."""
    sentence: Tensor
    """Shape (pairs, tokens): which sentence of the paper a token is in, from 1; 0 for none."""
    sentences: int
    """Of the longest paper."""

    def to(self, device: torch.device | str) -> Batch:
        """The same on another device."""
        return Batch(self.ids.to(device), self.types.to(device), self.mask.to(device), self.sentence.to(device), self.sentences)


@dataclass(frozen=True)
class Outputs:
    """What the network says, as logits."""

    relevance: Tensor
    """Shape (pairs,)."""
    stance: Tensor
    """Shape (pairs, 3), in the order of `STANCES`."""
    evidence: Tensor
    """Shape (pairs, sentences); minus infinity where there is no sentence, or it was cut off."""


def collate(pairs: Sequence[Pair]) -> Batch:
    """Pads pairs to one length."""
    rows = [_row(pair) for pair in pairs]
    width = max(len(ids) for ids, _, _ in rows)
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    types, mask, sentence = torch.zeros_like(ids), torch.zeros_like(ids), torch.zeros_like(ids)
    for number, (row, question_length, places) in enumerate(rows):
        ids[number, : len(row)] = torch.tensor(row)
        types[number, question_length : len(row)] = 1
        mask[number, : len(row)] = 1
        sentence[number, : len(row)] = torch.tensor(places)
    return Batch(ids, types, mask, sentence, max((len(pair.sentences) for pair in pairs), default=0))


def _row(pair: Pair) -> tuple[list[int], int, list[int]]:
    """Token ids, the length of the question with its special tokens, and each token's sentence."""
    ids = [CLS, *pair.question[:MAX_QUESTION_TOKENS], SEP]
    question_length = len(ids)
    ids += pair.title
    places = [0] * len(ids)
    for number, tokens in enumerate(pair.sentences, 1):
        ids += tokens
        places += [number] * len(tokens)
    del ids[MAX_TOKENS - 1 :], places[MAX_TOKENS - 1 :]
    return [*ids, SEP], question_length, [*places, 0]


class ReaderNetwork(nn.Module):
    """The cross-encoder. Made with plain layers; `adapt` adds adapters to train, `merge` folds trained ones in."""

    def __init__(self, bert: BertModel) -> None:
        """`bert`: the embedding model's own; it becomes this network's."""
        super().__init__()
        width = bert.config.hidden_size
        self.bert = bert
        self.relevance = nn.Linear(width, 1)
        self.stance = nn.Linear(width, len(STANCES))
        self.evidence = nn.Linear(2 * width, 1)

    def forward(self, batch: Batch) -> Outputs:
        states = self.bert(input_ids=batch.ids, token_type_ids=batch.types, attention_mask=batch.mask).last_hidden_state
        first = states[:, 0]
        numbers = torch.arange(1, batch.sentences + 1, device=states.device)
        members = (batch.sentence.unsqueeze(1) == numbers[None, :, None]).to(states.dtype)
        counts = members.sum(dim=2)
        means = members @ states / counts.clamp(min=1).unsqueeze(2)
        sentences = torch.cat([means, first.unsqueeze(1).expand_as(means)], dim=2)
        evidence = self.evidence(sentences).squeeze(2).float().masked_fill(counts == 0, -torch.inf)
        return Outputs(self.relevance(first).squeeze(1).float(), self.stance(first).float(), evidence)
