"""The reader's network: the embedding model itself as a cross-encoder, with low-rank adapters and four heads.

    [CLS] question [SEP] title sentence sentence ... [SEP]

Goes in: token ids of a question and of a paper's title and sentences. Comes out: how relevant the
paper is, which of three things it does with the question (answers it, contradicts what it takes
for granted, says nothing of it), and for each sentence whether it is evidence. Hu et al., LoRA:
Low-Rank Adaptation of Large Language Models (2021). This is what is trained; `graphs.py` makes of it what answers
questions without torch. Knows no text, no library, no decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn
from transformers import BertModel

from assistant.evidence.pairs import MAX_TOKENS as MAX_TOKENS
from assistant.evidence.pairs import NO_EVIDENCE, SEARCH_SCORES, SENTENCE_SCORES, row
from assistant.evidence.pairs import STANCES as STANCES
from assistant.evidence.pairs import Pair as Pair

_FUSED_AT_FIRST = 15.0
"""Weight of the fused score in the relevance before training."""


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
    search: Tensor
    """Shape (pairs, 4)."""
    cosines: Tensor
    """Shape (pairs, sentences), 0 beyond a paper's last."""

    def to(self, device: torch.device | str) -> Batch:
        """The same on another device."""
        return Batch(*(getattr(self, field.name).to(device) for field in fields(self)))


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
    rows = [row(pair) for pair in pairs]
    width = max(len(one.ids) for one in rows)
    ids = torch.zeros(len(rows), width, dtype=torch.long)
    types, mask, sentence = torch.zeros_like(ids), torch.zeros_like(ids), torch.zeros_like(ids)
    for number, one in enumerate(rows):
        ids[number, : len(one.ids)] = torch.tensor(one.ids)
        types[number, one.asked : len(one.ids)] = 1
        mask[number, : len(one.ids)] = 1
        sentence[number, : len(one.ids)] = torch.tensor(one.places)
    cosines = torch.zeros(len(pairs), max(len(pair.sentences) for pair in pairs))
    for number, pair in enumerate(pairs):
        cosines[number, : len(pair.cosines)] = torch.tensor(pair.cosines, dtype=torch.float32)
    return Batch(ids, types, mask, sentence, torch.tensor([list(pair.search) for pair in pairs], dtype=torch.float32), cosines)


class ReaderNetwork(nn.Module):
    """The cross-encoder. Its heads see what the search says too, so that it learns what that misses."""

    def __init__(self, bert: BertModel) -> None:
        """`bert`: the embedding model's own; it becomes this network's."""
        super().__init__()
        width = bert.config.hidden_size
        self.bert = bert
        self.relevance = nn.Linear(width + SEARCH_SCORES, 1)
        self.stance = nn.Linear(width + SEARCH_SCORES + 1, len(STANCES))
        self.evidence = nn.Linear(2 * width + SENTENCE_SCORES, 1)
        with torch.no_grad():
            self.relevance.weight[0, width:] = torch.tensor([_FUSED_AT_FIRST, 0.0, 0.0, 0.0])

    def forward(self, batch: Batch) -> Outputs:
        states = self.bert(input_ids=batch.ids, token_type_ids=batch.types, attention_mask=batch.mask).last_hidden_state
        return self.heads(states, batch.sentence, batch.search, batch.cosines)

    def heads(self, states: Tensor, sentence: Tensor, search: Tensor, cosines: Tensor) -> Outputs:
        """What the heads make of the encoder's states, shape (pairs, tokens, width), and of what a batch holds beside."""
        first = states[:, 0]
        numbers = torch.arange(1, cosines.shape[1] + 1, device=states.device)
        members = (sentence.unsqueeze(1) == numbers[None, :, None]).to(states.dtype)
        counts = members.sum(dim=2)
        means = members @ states / counts.clamp(min=1).unsqueeze(2)
        lead = cosines - cosines.max(dim=1, keepdim=True).values
        scores = 4.0 * torch.stack([cosines, lead], dim=2)
        sentences = torch.cat([means, first.unsqueeze(1).expand_as(means), scores.to(states.dtype)], dim=2)
        evidence = self.evidence(sentences).squeeze(2).float().masked_fill(counts == 0, -torch.inf)
        paper = torch.cat([first.float(), search], dim=1)
        best = evidence.max(dim=1, keepdim=True).values.clamp(min=NO_EVIDENCE)
        return Outputs(self.relevance(paper).squeeze(1).float(), self.stance(torch.cat([paper, best], dim=1)).float(), evidence)
