"""Trains the matcher on an encoder's token states. Needs torch and transformers alone.

Goes in: a pack of questions and papers as token ids, and the tuned encoder, which stays as it is.
Comes out: the network, and what training found of states and questions; `assistant.evidence.matcher.save`
writes both. The loss adds three parts: cross entropy over the stances of a question's paper and
some others, a softmax over these papers, and binary cross entropy over the sentences. Takes minutes
on a CPU. Knows neither library nor search, nor how good the result is.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import BertModel

from assistant.evidence.matcher import (
    WINDOW,
    Constants,
    PaperStates,
    States,
    Word,
    pair,
    paper_states,
    paper_windows,
    question_words,
    rareness,
    spelled,
)
from assistant.evidence.pairs import NO_SENTENCE, STATE, MatchPair
from eval.train.encoder import token_states
from eval.train.loop import Course, descend
from eval.train.matcher_network import MatchNetwork, collate
from eval.train.pack import SILENT, Example, Pack, TrainingError
from index.embedding import Vectors

_SEVERAL = 8
"""Questions that hold a word before it is counted."""
_TOKENS_OF_PAPER, _QUESTIONS = 60, 1000
"""Whose states say where states differ most."""

Pieces = Callable[[Sequence[int]], list[str]]
"""Spells token ids, as `MiniLM.pieces`."""


@dataclass(frozen=True)
class MatcherRecipe:
    """How to train."""

    learning_rate: float = 1e-3
    weight_decay: float = 0.02
    dropout: float = 0.1
    smoothing: float = 0.03
    """Of the stances' labels."""
    epochs: int = 5
    questions: int = 16
    """In a batch."""
    near: int = 2
    """Other papers of a question, out of the first `nearest` by best sentence and coverage."""
    nearest: int = 10
    far: float = 0.4
    """Share of questions that have one more paper, out of all."""
    emptied: float = 0.25
    """Share of specific questions whose evidence is cut out of the paper, which then is silent."""
    thinned: float = 0.3
    """Share of papers that lose sentences that are no evidence; of those that cannot be emptied, `emptied` more."""
    lost: float = 0.3
    """Share of these sentences that are lost."""
    other_weight: float = 0.25
    """Of another paper's stance, beside that of the question's own."""
    ranking: float = 0.4
    """Weight of the softmax over papers."""
    positive_weight: float = 3.0
    """Of sentences that are evidence, beside those of the same paper that are not."""
    silent_weight: float = 0.3
    """Of the sentences of the question's own paper where it says nothing of it."""
    other_evidence: float = 0.1
    """Of the sentences of another paper."""
    seed: int = 0


@dataclass(frozen=True)
class _Label:
    """What is right of a question and a paper."""

    stance: int = SILENT
    weight: float = 1.0
    evidence: tuple[int, ...] = ()
    """Sentences, from 0."""
    evidence_weight: float = 1.0


@dataclass(frozen=True)
class _Material:
    """Questions and papers, encoded."""

    papers: list[PaperStates]
    """With projected states."""
    asked: list[tuple[Vectors, list[Word]]]
    """Of each question the projected states and the words."""
    near: list[list[int]]
    """Of each question the papers that it may be taken to be about, nearest first."""


def train(
    encoder: BertModel, pack: Pack, pieces: Pieces, recipe: MatcherRecipe = MatcherRecipe(), tell: Callable[[str], None] = lambda line: None
) -> tuple[MatchNetwork, Constants]:
    """The trained network, on the CPU, and its constants. `encoder`: the model that the matcher is used with, adapters folded in.

    Raises `TrainingError` where the pack holds no question or no paper.
    """
    if not pack.examples or not pack.papers:
        raise TrainingError(f"{len(pack.examples)} questions over {len(pack.papers)} papers: nothing to train the matcher on")
    torch.manual_seed(recipe.seed)
    constants, material = _prepared(encoder, pack, pieces, recipe)
    network = MatchNetwork(recipe.dropout).to(encoder.device)
    batches = list(_batches(len(pack.examples), recipe))

    def losses() -> Iterator[Tensor]:
        for numbers, dice in batches:
            reads = [list(_read(material, pack, number, recipe, dice)) for number in numbers]
            stance, evidence = network(collate([pair for read in reads for pair, _ in read]).to(encoder.device))
            yield _loss(stance, evidence, [[label for _, label in read] for read in reads], recipe)

    course = Course(len(batches), recipe.learning_rate, warm_up=0.05, weight_decay=recipe.weight_decay)
    network.train()
    descend("matcher", list(network.parameters()), losses(), course, tell)
    return network.cpu().eval(), constants


def _batches(count: int, recipe: MatcherRecipe) -> Iterator[tuple[list[int], random.Random]]:
    """The questions of each batch of all epochs, with dice for what is drawn for it."""
    for epoch in range(recipe.epochs):
        numbers = list(range(count))
        random.Random(f"{recipe.seed} {epoch}").shuffle(numbers)
        for first in range(0, count, recipe.questions):
            yield numbers[first : first + recipe.questions], random.Random(f"{recipe.seed} {epoch} {first}")


def _read(material: _Material, pack: Pack, number: int, recipe: MatcherRecipe, dice: random.Random) -> Iterator[tuple[MatchPair, _Label]]:
    example, (states, words) = pack.examples[number], material.asked[number]
    if example.paper is not None:
        sentences = len(pack.papers[example.paper].sentences)
        paper, label = _own(material.papers[example.paper], sentences, example, recipe, dice)
        yield pair(states, words, paper, sentences), label
    for other in _others(material.near[number], example, len(pack.papers), recipe, dice):
        label = _Label(weight=recipe.other_weight, evidence_weight=recipe.other_evidence)
        yield pair(states, words, material.papers[other], len(pack.papers[other].sentences)), label


def _own(paper: PaperStates, sentences: int, example: Example, recipe: MatcherRecipe, dice: random.Random) -> tuple[PaperStates, _Label]:
    """The question's paper, at times with sentences cut out, and what it then does. Its words stay those of the whole paper."""
    chance = dice.random()
    evidence = tuple(example.evidence)
    if example.stance != SILENT and example.specific and chance < recipe.emptied:
        return _without(paper, evidence), _Label(evidence_weight=recipe.silent_weight)
    label = _Label(example.stance, 1.0, evidence, recipe.silent_weight if example.stance == SILENT else 1.0)
    if chance < recipe.emptied + recipe.thinned:
        paper = _without(paper, [place for place in range(sentences) if place not in evidence and dice.random() < recipe.lost])
    return paper, label


def _without(paper: PaperStates, sentences: Sequence[int]) -> PaperStates:
    kept = ~np.isin(paper.sentence, np.array(sentences, dtype=np.int64) + 1)
    return replace(paper, vectors=paper.vectors[kept], sentence=paper.sentence[kept])


def _others(near: Sequence[int], example: Example, papers: int, recipe: MatcherRecipe, dice: random.Random) -> list[int]:
    candidates = [paper for paper in near if paper != example.paper]
    others = dice.sample(candidates, min(recipe.near, len(candidates)))
    if dice.random() < recipe.far:
        others += [paper for paper in [dice.randrange(papers)] if paper != example.paper]
    return others


def _loss(stance: Tensor, evidence: Tensor, reads: Sequence[Sequence[_Label]], recipe: MatcherRecipe) -> Tensor:
    labels = [label for read in reads for label in read]
    wanted = torch.tensor([label.stance for label in labels], device=stance.device)
    weight = torch.tensor([label.weight for label in labels], device=stance.device)
    stances = nn.functional.cross_entropy(stance, wanted, reduction="none", label_smoothing=recipe.smoothing)
    return (stances * weight).sum() / weight.sum() + recipe.ranking * _ranking(stance, reads) + _evidence(evidence, labels, recipe)


def _ranking(stance: Tensor, reads: Sequence[Sequence[_Label]]) -> Tensor:
    """Softmax over each question's papers of their log odds to say something, where its own does."""
    odds = torch.logsumexp(stance[:, :SILENT], 1) - stance[:, SILENT]
    parts = torch.split(odds, [len(read) for read in reads])
    losses = [-part.log_softmax(0)[0] for part, read in zip(parts, reads, strict=True) if read and read[0].stance != SILENT]
    return torch.stack(losses).mean() if losses else odds.new_zeros(())


def _evidence(logits: Tensor, labels: Sequence[_Label], recipe: MatcherRecipe) -> Tensor:
    wanted, weight = torch.zeros_like(logits), torch.zeros_like(logits)
    for row, label in enumerate(labels):
        weight[row] = label.evidence_weight
        places = list(label.evidence)
        wanted[row, places] = 1.0
        weight[row, places] = recipe.positive_weight * label.evidence_weight
    weight = weight * (logits != NO_SENTENCE)
    losses = nn.functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    return (losses * weight).sum() / weight.sum().clamp(min=1e-6)


def _prepared(encoder: BertModel, pack: Pack, pieces: Pieces, recipe: MatcherRecipe) -> tuple[Constants, _Material]:
    joined = [example.joined[-WINDOW:] for example in pack.examples]
    papers, states = _encoded(encoder, pack, pieces), token_states(encoder, joined)
    centre, projection = _axes(papers, states, np.random.default_rng(recipe.seed))
    constants = Constants(centre, projection, len(pack.examples), _asked(pack, pieces))
    held = Counter(word for paper in papers for word in paper.words)
    asked = []
    for example, ids, vectors in zip(pack.examples, joined, states, strict=True):
        before = len(ids) - len(example.question)
        words = question_words(pieces(ids), before, lambda word: constants.weight(word, lambda word: rareness(len(papers), held[word])))
        asked.append((constants.projected(vectors), words))
    projected = [replace(paper, vectors=constants.projected(paper.vectors)) for paper in papers]
    near = _near(projected, [vectors for vectors, _ in asked], pack.coverage, recipe.nearest)
    return constants, _Material(projected, asked, near)


def _encoded(encoder: BertModel, pack: Pack, pieces: Pieces) -> list[PaperStates]:
    windows = [paper_windows(paper.title, paper.sentences) for paper in pack.papers]
    states = iter(token_states(encoder, [window.ids for of_paper in windows for window in of_paper]))
    return [paper_states(of_paper, list(islice(states, len(of_paper))), pieces) for of_paper in windows]


def _asked(pack: Pack, pieces: Pieces) -> dict[str, int]:
    """How many questions hold a word, turns before them aside; of words of several."""
    found = Counter(word for example in pack.examples for word in {word for word, _ in spelled(pieces(example.question))})
    return {word: count for word, count in found.items() if count >= _SEVERAL and any(letter.isalnum() for letter in word)}


def _axes(papers: Sequence[PaperStates], questions: Sequence[States], dice: np.random.Generator) -> tuple[Vectors, Vectors]:
    """The mean of papers' states, and the directions in which states differ most from it."""
    tokens = sum(len(paper.vectors) for paper in papers)
    mean = np.sum([paper.vectors.sum(axis=0, dtype=np.float64) for paper in papers], axis=0) / tokens
    sample = [paper.vectors[dice.integers(0, len(paper.vectors), _TOKENS_OF_PAPER)] for paper in papers if len(paper.vectors)]
    sample += [questions[number] for number in dice.permutation(len(questions))[:_QUESTIONS]]
    moved = (np.concatenate(sample) - mean).astype(np.float32)
    _, axes = np.linalg.eigh(moved.T @ moved)
    return mean.astype(np.float32), np.ascontiguousarray(axes[:, -STATE:], dtype=np.float32)


def _near(papers: Sequence[PaperStates], questions: Sequence[Vectors], coverage: NDArray[np.float16], nearest: int) -> list[list[int]]:
    """The papers nearest to each question by the best sentence, with what the search knows of its terms."""
    asked = np.stack([_mean(vectors) for vectors in questions])
    best = np.stack([(asked @ _sentence_means(paper).T).max(axis=1) for paper in papers], axis=1)
    found: list[list[int]] = np.argsort(-(best + 0.5 * coverage.astype(np.float32)), axis=1)[:, :nearest].tolist()
    return found


def _sentence_means(paper: PaperStates) -> Vectors:
    """Shape (sentences, STATE); of a paper without sentences the title's."""
    numbers = np.unique(paper.sentence[paper.sentence > 0])
    parts = [paper.vectors[paper.sentence == number] for number in numbers] or [paper.vectors]
    return np.stack([_mean(part) for part in parts])


def _mean(vectors: States) -> Vectors:
    """Of length 1; zeros of no vectors."""
    total = vectors.sum(axis=0)
    return np.asarray(total / max(float(np.linalg.norm(total)), 1e-9), dtype=np.float32)
