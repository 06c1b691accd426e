"""The matcher's network: which of a question's words an abstract meets, and what follows from that.

Goes in: the encoder's token states of a question and of a paper, kept apart until here (late
interaction: Khattab and Zaharia, ColBERT, 2020). Comes out: the logits of the stances and of each
sentence. Each word of the question looks for its like in the paper, or for nothing; a small
transformer over the words then weighs what was found against what was not. This is what is trained; `graphs.py`
makes of it what answers questions without torch. Knows no text.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import torch as safetensors
from torch import Tensor, nn

from assistant.evidence.matcher import Constants, parts
from assistant.evidence.pairs import NO_SENTENCE as NO_SENTENCE
from assistant.evidence.pairs import STATE as STATE
from assistant.evidence.pairs import WORD_SIGNALS as WORD_SIGNALS
from assistant.evidence.pairs import MatchPair as MatchPair

_WIDTH, _KEY, _HEADS = 128, 64, 2


@dataclass(frozen=True)
class MatchBatch:
    """Questions with a paper each, padded."""

    question: Tensor
    """Shape (pairs, pieces, STATE), vectors of length 1."""
    asked: Tensor
    """Shape (pairs, pieces): whether there is a piece."""
    signals: Tensor
    """Shape (pairs, pieces, WORD_SIGNALS)."""
    paper: Tensor
    """Shape (pairs, tokens, STATE), vectors of length 1."""
    held: Tensor
    """Shape (pairs, tokens): whether there is a token."""
    sentence: Tensor
    """Shape (pairs, tokens): which sentence a token is in, from 1; 0 for the title."""
    sentences: Tensor
    """Shape (sentences,): a number for each sentence of the longest paper, so that its shape tells how many there are."""

    def to(self, device: torch.device | str) -> MatchBatch:
        """The same on another device."""
        return MatchBatch(*(getattr(self, field.name).to(device) for field in fields(self)))


def collate(pairs: Sequence[MatchPair]) -> MatchBatch:
    """Pads pairs to one length."""
    question, asked = _padded([pair.question for pair in pairs])
    signals, _ = _padded([pair.signals for pair in pairs])
    paper, held = _padded([pair.paper for pair in pairs])
    sentence, _ = _padded([pair.sentence for pair in pairs])
    return MatchBatch(question, asked, signals, paper, held, sentence, torch.arange(max(pair.sentences for pair in pairs)))


class MatchNetwork(nn.Module):
    """The late-interaction network; 225,000 parameters."""

    def __init__(self, dropout: float = 0.1) -> None:
        super().__init__()
        self.ask = nn.Linear(STATE, _KEY)
        self.hold = nn.Linear(STATE, _KEY)
        self.hold.load_state_dict(self.ask.state_dict())
        self.learnt = nn.Parameter(torch.full((_HEADS,), 2.0))
        self.plain = nn.Parameter(torch.full((_HEADS,), 8.0))
        self.nothing = nn.Parameter(torch.full((_HEADS,), 4.0))
        self.nothing_found = nn.Parameter(torch.zeros(_KEY))
        self.into = nn.Linear(4 * _KEY + _HEADS + 1 + WORD_SIGNALS, _WIDTH)
        self.whole = nn.Parameter(torch.randn(_WIDTH) * 0.02)
        self.dropout = nn.Dropout(dropout)
        layer = nn.TransformerEncoderLayer(_WIDTH, 4, 2 * _WIDTH, dropout, "gelu", batch_first=True, norm_first=True)
        self.words = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.importance = nn.Linear(_WIDTH, 2)
        self.wanted = nn.Linear(_WIDTH, _KEY)
        self.evidence_weights = nn.Parameter(torch.tensor([8.0, 4.0]))
        self.evidence_bias = nn.Parameter(torch.tensor(-5.0))
        self.stance = nn.Sequential(nn.Linear(2 * _WIDTH + 3, _WIDTH), nn.GELU(), nn.Dropout(dropout), nn.Linear(_WIDTH, 3))

    def forward(self, batch: MatchBatch) -> tuple[Tensor, Tensor]:
        """Logits of the stances, shape (pairs, 3), and of the sentences, shape (pairs, sentences)."""
        asks, holds = self.ask(batch.question), self.hold(batch.paper)
        plain = batch.question @ batch.paper.transpose(1, 2)
        learnt = _heads(asks, True) @ _heads(holds, True).transpose(2, 3)
        attention = self._attention(plain, learnt, batch.held)
        found = (attention[..., :-1] @ _heads(holds)).transpose(1, 2).flatten(2)
        found = found + (attention[..., -1:] * self.nothing_found.view(_HEADS, 1, -1)).transpose(1, 2).flatten(2)
        plain = plain.masked_fill(~batch.held[:, None], -1.0)
        nearest = plain.max(2).values
        parts = [asks, found, asks * found, (asks - found).abs(), attention[..., -1].transpose(1, 2), nearest[..., None], batch.signals]
        words = self.into(self.dropout(torch.cat(parts, 2)))
        words = torch.cat([self.whole.expand(len(words), 1, -1), words], 1)
        there = torch.cat([torch.ones_like(batch.asked[:, :1]), batch.asked], 1)
        words = self.words(words, src_key_padding_mask=~there)
        whole, words = words[:, 0], words[:, 1:]
        importance = self.importance(words).masked_fill(~batch.asked[..., None], -1e4).softmax(1)
        evidence = self._evidence(batch, whole, importance, plain, learnt.mean(1), holds)
        best = torch.cat([evidence, evidence.new_full((len(evidence), 2), NO_SENTENCE)], 1).topk(2, 1).values
        mean = (words * batch.asked[..., None]).sum(1) / batch.asked.sum(1, keepdim=True)
        met = (importance[:, :, 0] * nearest).sum(1, keepdim=True)
        stance: Tensor = self.stance(torch.cat([whole, mean, best / 5.0, met], 1))
        return stance, evidence

    def _attention(self, plain: Tensor, learnt: Tensor, held: Tensor) -> Tensor:
        """Of each piece of the question over the paper's tokens and, last, over nothing: shape (pairs, heads, pieces, tokens + 1)."""
        logits = learnt * 16.0 * self.learnt.sigmoid()[None, :, None, None] + plain[:, None] * self.plain[None, :, None, None]
        logits = logits.masked_fill(~held[:, None, None], -1e4)
        nothing = self.nothing[None, :, None, None].expand(len(logits), -1, logits.shape[2], 1)
        return torch.cat([logits, nothing], 3).softmax(3)

    def _evidence(self, batch: MatchBatch, whole: Tensor, importance: Tensor, plain: Tensor, learnt: Tensor, holds: Tensor) -> Tensor:
        pairs, pieces, count = len(plain), plain.shape[1], batch.sentences.shape[0]
        places = batch.sentence[:, None].expand(-1, pieces, -1)
        learnt = learnt.masked_fill(~batch.held[:, None], -1.0)
        least = plain.new_full((pairs, pieces, count + 1), -1.0)
        by_plain, by_learnt = (least.scatter_reduce(2, places, scores, "amax") for scores in (plain, learnt))
        sums = holds.new_zeros(pairs, count + 1, _KEY)
        sums = sums.scatter_add(1, batch.sentence[..., None].expand(-1, -1, _KEY), holds * batch.held[..., None])
        fits = (nn.functional.normalize(sums, dim=2) * self.wanted(whole)[:, None]).sum(2)
        logits = (
            self.evidence_weights[0] * (importance[:, :, 0, None] * by_plain).sum(1)
            + self.evidence_weights[1] * (importance[:, :, 1, None] * by_learnt).sum(1)
            + fits
            + self.evidence_bias
        )
        there = plain.new_zeros(pairs, count + 1).scatter_add(1, batch.sentence, batch.held.to(plain.dtype)) > 0
        without: Tensor = logits.masked_fill(~there, NO_SENTENCE)[:, 1:]
        return without


def load(file: Path) -> tuple[MatchNetwork, Constants]:
    """What `save` wrote. Raises `SafetensorError`, `KeyError` or `RuntimeError` for another file."""
    weights, constants = parts(file)
    network = MatchNetwork()
    network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    return network.eval().requires_grad_(False), constants


def save(network: MatchNetwork, constants: Constants, file: Path) -> None:
    """Writes them in half precision, with the word counts as the file's metadata; the same ones always as the same bytes."""
    kept = {name: value.detach().cpu() for name, value in network.state_dict().items()}
    kept |= {"centre": torch.from_numpy(constants.centre), "projection": torch.from_numpy(constants.projection)}
    content = safetensors.save({name: value.half().contiguous() for name, value in kept.items()})
    start = 8 + int.from_bytes(content[:8], "little")
    told = {"questions": str(constants.questions), "words": json.dumps(dict(constants.asked), sort_keys=True)}
    header = json.dumps({"__metadata__": told, **json.loads(content[8:start])}).encode()  # the library writes metadata in any order
    header += b" " * (-len(header) % 8)
    file.write_bytes(len(header).to_bytes(8, "little") + header + content[start:])


def _heads(states: Tensor, normalised: bool = False) -> Tensor:
    """Shape (pairs, heads, tokens, key / heads)."""
    pairs, tokens, _ = states.shape
    split = states.reshape(pairs, tokens, _HEADS, -1).transpose(1, 2)
    return nn.functional.normalize(split, dim=-1) if normalised else split


def _padded(rows: Sequence[NDArray[Any]]) -> tuple[Tensor, Tensor]:
    """The rows with zeros after each, shape (rows, longest, ...), and where a row has something, shape (rows, longest)."""
    longest = max(map(len, rows))
    filled = np.zeros((len(rows), longest, *rows[0].shape[1:]), dtype=rows[0].dtype)
    there = np.zeros((len(rows), longest), dtype=bool)
    for number, row in enumerate(rows):
        filled[number, : len(row)] = row
        there[number, : len(row)] = True
    return torch.from_numpy(filled), torch.from_numpy(there)
