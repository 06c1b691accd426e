"""All that is fitted, in order, each section written once it is there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from assistant import fitted
from assistant.evidence.readers import Readers
from assistant.fitted import Section
from assistant.verification import weights
from assistant.verification.checker import shipped
from assistant.verification.model import SupportModel
from eval.errors import EvalError
from eval.held_out import ENCODER, MATCHER, READER
from eval.support.claims import STARTER, Held, papers_of, trials, unseen
from eval.train import data
from eval.train.fit.check import STARTER_SHARE, fit_support
from eval.train.fit.gather import gather
from eval.train.fit.joining import fit_joining
from eval.train.fit.parts import Part
from eval.train.fit.sentences import fit_sentences
from eval.train.fit.verdict import fit_verdict
from index import Library, Paper

_QUESTIONS = (data.FILE, data.MORE, data.FOLLOWUPS, data.ABSENT, data.OFFTOPIC)


Tell = Callable[[str, Section], None]
"""What is done with a section once it is fitted. What later ones ask with, the numbers of those before, is in the file by then
if this saves it."""


def fit_questions(
    library: Library, readers: Readers, parts: Collection[Part], tell: Tell, tick: Callable[[], None] = lambda: None, every: int = 1
) -> None:
    """Fits joining, sentences and verdict, those of them that are among `parts`. `readers` must hold both. `every`: take only each
    n-th question.

    Each asks with the numbers in the file for all else: where these change much, fit again.
    """
    library.reopen_if_moved()
    papers = library.papers()
    if Part.JOINING in parts:
        tell(Part.JOINING, _of(fit_joining(library, readers, tick, every), papers))
    if Part.SENTENCES in parts or Part.VERDICT in parts:
        gathered = gather(library, readers, tick, every)
        if Part.SENTENCES in parts:
            tell(Part.SENTENCES, _of(fit_sentences(gathered.sentences), papers))
        if Part.VERDICT in parts:
            tell(Part.VERDICT, _of(fit_verdict(gathered.cases), papers))


def fit_check(sources: Sequence[str], a_kind: int, tell: Tell, tick: Callable[[], None] = lambda: None) -> None:
    """Fits the weights of the check of sentences, over these sources and our summaries.

    Raises `EvalError` where the check's network cannot be loaded: without it only one of three models could be fitted.
    """
    if fault := shipped().fault:
        raise EvalError(f"the check's weights cannot be fitted: {fault}")
    summaries, library = papers_of([str(STARTER)]), papers_of(sources)
    asked = [
        trials(library, summaries, unseen(True), a_kind),
        # What is shipped is to hold for summaries, too.
        trials(summaries, summaries, unseen(True), max(1, round(STARTER_SHARE * a_kind))),
    ]
    section = fit_support([each for each in asked if each], SupportModel(weights.FILE, weights.SHA256), tick)
    origin = {"papers": _hash(_texts([*library.values(), *summaries.values()])), "models": _hash([weights.FILE.read_bytes()])}
    tell(Part.SUPPORT, Section(section.weights, section.thresholds, {**(section.fitted_on or {}), **origin}, section.figures))


def _of(section: Section, papers: Sequence[Paper]) -> Section:
    """With the hashes of what it came of."""
    texts = sorted(f"{paper.title}\n{paper.raw_abstract}".encode() for paper in papers)
    origin = {"questions": _files(_QUESTIONS), "papers": _hash(texts), "models": _files((ENCODER, READER, MATCHER))}
    return Section(section.weights, section.thresholds, {**(section.fitted_on or {}), **origin}, section.figures)


def _texts(papers: Sequence[Held]) -> list[bytes]:
    return sorted(paper.text.encode() for paper in papers)


def _files(files: Sequence[Path]) -> str:
    return _hash([file.read_bytes() for file in files])


def _hash(contents: Sequence[bytes]) -> str:
    """SHA-256 of the contents' own."""
    return hashlib.sha256(b"".join(hashlib.sha256(content).digest() for content in contents)).hexdigest()


def in_words(name: str, section: Section) -> str:
    """A section's numbers and figures, for people."""
    models = (f"  {model}: {', '.join(f'{signal} {weight:g}' for signal, weight in of.items())}" for model, of in section.weights.items())
    thresholds = (f"  {threshold}: {value:g}" for threshold, value in section.thresholds.items())
    return "\n".join([f"{name}", *models, *thresholds, *(f"  {line}" for line in section.figures)])


def save(name: str, section: Section, file: Path = fitted.FILE) -> None:
    """Writes a section. Raises `EvalError` where the file cannot be written."""
    try:
        fitted.save(name, section, file)
    except OSError as error:
        raise EvalError(f"{file}: cannot be written ({error.strerror}): fit in a checkout of your own, or with --dry-run") from error
