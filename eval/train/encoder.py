"""Tunes the embedding model's adapter, and searches with any embedding model. Needs torch and transformers alone.

Goes in: a pack of questions and papers as token ids. Comes out: low-rank adapters over the
embedding model, and the scores that a search with them gives. The loss is the softmax over a
batch's papers (van den Oord et al., 2018), once by chunk and once by sentence, each question with
one paper besides that the search finds near; and a term that keeps every vector near to the one
that the untuned model gives, so that texts of other fields are not forgotten.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import BertModel

from eval.train.loop import Course, descend
from eval.train.pack import SILENT, Example, Pack, TokenisedPaper, TrainingError
from index.embedding.lora import ADAPTED, adapt, merge
from index.embedding.tokens import ROOM, padded

N = TypeVar("N", bound=nn.Module)


@dataclass(frozen=True)
class EncoderRecipe:
    """How to tune."""

    rank: int = 16
    learning_rate: float = 3e-4
    epochs: int = 8
    questions: int = 96
    """In a batch."""
    temperature: float = 0.05
    nearest: int = 10
    """The other paper is one of so many found."""
    kept: float = 1.0
    """Weight of staying near to the untuned model."""
    seed: int = 0


@dataclass(frozen=True)
class Scores:
    """What a search says of each question of a pack and each paper."""

    chunk: NDArray[np.float32]
    """Shape (questions, papers): cosine of the best chunk."""
    sentence: NDArray[np.float32]
    """Shape (questions, papers): cosine of the best sentence."""
    coverage: NDArray[np.float32]
    """Shape (questions, papers)."""
    cosines: list[NDArray[np.float32]]
    """For each paper, shape (questions, sentences)."""

    @cached_property
    def fused(self) -> NDArray[np.float32]:
        """Shape (questions, papers), as the reader sees it."""
        fused: NDArray[np.float32] = 0.6 * self.chunk + 0.4 * self.sentence + 0.4 * self.coverage
        return fused


def base_model(folder: Path, device: str = "cpu") -> BertModel:
    """The embedding model's transformer, in full precision, ready for use."""
    model = BertModel.from_pretrained(folder, add_pooling_layer=False, dtype=torch.float32, local_files_only=True)
    nn.Module.to(model, device)
    model.train(False)
    return model


def with_weights(network: N, file: Path) -> N:
    """A network over the embedding model as `bert`, with a file's adapters folded in and its heads set, ready for use.

    Raises `TrainingError` where the file does not hold such weights.
    """
    try:
        held = {name: value.float() for name, value in load_file(file).items()}
        merge(network, {name: value for name, value in held.items() if name.startswith("bert.")})
        missing, unexpected = network.load_state_dict({n: v for n, v in held.items() if not n.startswith("bert.")}, strict=False)
    except (SafetensorError, KeyError, RuntimeError) as error:
        raise TrainingError(f"{file}: not weights of a {type(network).__name__} ({' '.join(str(error).split())})") from error
    if unexpected or any(not name.startswith("bert.") for name in missing):
        raise TrainingError(f"{file}: not the whole of a {type(network).__name__}")
    return network.eval().requires_grad_(False)


def embed(model: BertModel, texts: Sequence[Sequence[int]]) -> Tensor:
    """Mean-pooled vectors of length 1, shape (texts, dimension)."""
    ids, mask = _padded(texts, model.device)
    with torch.autocast(ids.device.type, dtype=torch.bfloat16, enabled=ids.device.type == "cuda"):
        states = model(input_ids=ids, attention_mask=mask).last_hidden_state.float()
    weights = mask.unsqueeze(2).float()
    return nn.functional.normalize((states * weights).sum(1) / weights.sum(1), dim=1)


@torch.no_grad()
def embed_all(model: BertModel, texts: Sequence[Sequence[int]], at_once: int = 256) -> Tensor:
    """As `embed`, for any number of texts; on the CPU."""
    order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    vectors = torch.empty(len(texts), model.config.hidden_size)
    for first in range(0, len(order), at_once):
        some = order[first : first + at_once]
        vectors[some] = embed(model, [texts[number] for number in some]).cpu()
    return vectors


@torch.no_grad()
def token_states(model: BertModel, texts: Sequence[Sequence[int]], at_once: int = 32) -> list[NDArray[np.float16]]:
    """For each text its tokens' last states, shape (tokens, dimension), each of length 1; as `MiniLM.token_states`."""
    order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    found: dict[int, NDArray[np.float16]] = {}
    for first in range(0, len(order), at_once):
        some = order[first : first + at_once]
        ids, mask = _padded([texts[number] for number in some], model.device)
        states = nn.functional.normalize(model(input_ids=ids, attention_mask=mask).last_hidden_state, dim=2).half().cpu().numpy()
        found |= {number: states[row, 1 : 1 + min(len(texts[number]), ROOM)].copy() for row, number in enumerate(some)}
    return [found[number] for number in range(len(texts))]


def search(model: BertModel, pack: Pack) -> Scores:
    """Scores of all papers for all questions of a pack."""
    model.train(False)
    questions = embed_all(model, [example.joined for example in pack.examples])
    chunks = questions @ embed_all(model, [chunk for paper in pack.papers for chunk in paper.chunks]).T
    sentences = questions @ embed_all(model, [sentence for paper in pack.papers for sentence in paper.sentences]).T
    by_paper = torch.split(sentences, [len(paper.sentences) for paper in pack.papers], dim=1)
    best_chunk = [part.max(1).values for part in torch.split(chunks, [len(paper.chunks) for paper in pack.papers], dim=1)]
    return Scores(
        torch.stack(best_chunk, 1).numpy(),
        torch.stack([part.max(1).values for part in by_paper], 1).numpy(),
        pack.coverage.astype(np.float32),
        [part.numpy() for part in by_paper],
    )


def tune(
    base: Path,
    pack: Pack,
    scores: Scores,
    recipe: EncoderRecipe = EncoderRecipe(),
    device: str = "cpu",
    tell: Callable[[str], None] = lambda line: None,
) -> BertModel:
    """The tuned model, its adapters not folded in. `scores`: of the untuned one."""
    dice = random.Random(recipe.seed)
    torch.manual_seed(recipe.seed)
    model, untuned = base_model(base, device), base_model(base, device)
    adapt(model, ADAPTED, recipe.rank, 2.0 * recipe.rank, 0.05)
    nn.Module.to(model, device).train()
    near = np.argsort(-scores.fused, axis=1)[:, : recipe.nearest]
    asked = [number for number, one in enumerate(pack.examples) if one.paper is not None and one.stance != SILENT]
    batches = -(-len(asked) // recipe.questions)

    def losses() -> Iterator[Tensor]:
        for _ in range(recipe.epochs):
            dice.shuffle(asked)
            for first in range(0, batches * recipe.questions, recipe.questions):
                numbers = asked[first : first + recipe.questions]
                others = [dice.choice([int(paper) for paper in near[number] if paper != pack.examples[number].paper]) for number in numbers]
                yield _loss(model, untuned, pack.papers, [pack.examples[number] for number in numbers], others, recipe, dice)

    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    descend("encoder", trained, losses(), Course(recipe.epochs * batches, recipe.learning_rate), tell)
    model.train(False)
    return model


def _padded(texts: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """As `padded`, on a device, each text cut to the model's room."""
    ids, mask = padded([text[:ROOM] for text in texts])
    return ids.to(device), mask.to(device)


def _loss(
    model: BertModel,
    untuned: BertModel,
    papers: Sequence[TokenisedPaper],
    examples: Sequence[Example],
    others: Sequence[int],
    recipe: EncoderRecipe,
    dice: random.Random,
) -> Tensor:
    own = [example.paper or 0 for example in examples]
    questions = [example.joined for example in examples]
    chunks = [_chunk(papers[number], example.evidence) for number, example in zip(own, examples, strict=True)]
    chunks += [dice.choice(papers[number].chunks) for number in others]
    sentences = [papers[number].sentences[dice.choice(example.evidence)] for number, example in zip(own, examples, strict=True)]
    sentences += [dice.choice(papers[number].sentences) for number in others]
    asked = embed(model, questions)
    rows, columns = torch.tensor(own, device=asked.device), torch.tensor([*own, *others], device=asked.device)
    targets = torch.arange(len(own), device=asked.device)
    same = (rows[:, None] == columns[None, :]) & (targets[:, None] != torch.arange(len(columns), device=asked.device)[None, :])
    loss = torch.zeros((), device=asked.device)
    vectors = [embed(model, texts) for texts in (chunks, sentences)]
    for side in vectors:
        loss = loss + nn.functional.cross_entropy((asked @ side.T / recipe.temperature).masked_fill(same, -1e4), targets)
    if recipe.kept:
        with torch.no_grad():
            before = [embed(untuned, texts) for texts in (questions, chunks, sentences)]
        for now, then in zip([asked, *vectors], before, strict=True):
            loss = loss + recipe.kept * (1.0 - (now * then).sum(1)).mean()
    return loss


def _chunk(paper: TokenisedPaper, evidence: Sequence[int]) -> list[int]:
    """The chunk that holds the evidence's first sentence."""
    sentence = paper.sentences[evidence[0]]
    for chunk in paper.chunks:
        if any(chunk[at : at + len(sentence)] == sentence for at in range(len(chunk) - len(sentence) + 1)):
            return chunk
    return paper.chunks[0]
