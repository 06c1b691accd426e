"""The library: one home's papers, their text index and their vectors, kept together.

Goes in: files of papers. Comes out: papers, and hits for a question's words or vector. The
catalogue is written first, in one transaction; the vectors are then made to follow, and a
fault at any instant leaves work that the next `catch_up` finishes. Knows nothing of answers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

import filelock

from index import manifest as manifests
from index.catalogue import Catalogue, Change, Embedded, PaperFilter, Source, Spans
from index.chunking import cut
from index.embedding import Embedder, MiniLM, Vectors
from index.errors import BusyError, HomeError, SourceError
from index.lexical import LexicalIndex, Terms
from index.paper import Entry, Paper, Skipped
from index.sources import expand, read_source
from index.vectors import PARTS, Part, VectorStore

Progress = Callable[[int, int], None]
"""Called with the number of papers embedded so far, and of all to embed."""

CATALOGUE_FILE = "catalogue.sqlite"
STARTER = "starter"
_PAPERS_AT_ONCE = 64
_LOCK_SECONDS = 10


def no_progress(done: int, total: int) -> None:
    """The default: nobody is told."""


@dataclass(frozen=True)
class IndexReport:
    """What an indexing run did."""

    read: int
    """Entries read, repeats included."""
    new: int
    changed: int
    unchanged: int
    seen_before: int
    papers: int
    """Papers in the library now."""
    skipped: tuple[Skipped, ...] = ()
    """What could not be taken as a paper, or read at all."""
    failed: tuple[SourceError, ...] = ()
    """Sources asked for by name that could not be read; the others were indexed."""


@dataclass(frozen=True)
class Hit:
    """A paper found, by one retriever."""

    paper_id: str
    score: float
    """Cosine for vectors; the share of the question's term weight for words."""
    position: int = 0
    """Which chunk or sentence of the paper."""


class Library:
    """The papers of one home. One `Library` serves many threads."""

    def __init__(self, home: Path, embedder: Embedder | None = None) -> None:
        """Opens the home, creating it where there is none.

        Raises `HomeError` where the folder cannot be made, written or understood.
        """
        self.home = home
        self.embedder = embedder or MiniLM()
        self._fresh = manifests.fresh(self.embedder)
        try:
            home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HomeError(f"{home}: the home folder cannot be made ({error.strerror}): choose another with --home") from error
        if not os.access(home, os.W_OK | os.X_OK):
            raise HomeError(f"{home}: the home folder cannot be written: check its permissions, or choose another with --home")
        self.catalogue = Catalogue(home / CATALOGUE_FILE)
        self.vectors = VectorStore(home / "vectors", self._fresh.fingerprint)
        self.lexical = LexicalIndex(self.catalogue)
        self._seen_stamp = -1
        self._confirmed: dict[str, str] = {}

    def close(self) -> None:
        """Lets go of the files."""
        self.vectors.close()
        self.catalogue.close()

    # Writing

    def add(self, patterns: Sequence[str], progress: Progress = no_progress) -> IndexReport:
        """Indexes files, folders and globs.

        What cannot be read is told in the report; nothing stored is lost by it.
        Raises `BusyError` where another process is writing.
        """
        read: list[tuple[Source, Sequence[Entry]]] = []
        skipped: list[Skipped] = []
        failed: list[SourceError] = []
        for pattern in patterns:
            try:
                files = expand(pattern)
            except SourceError as error:
                failed.append(error)
                continue
            root = str(Path(pattern).expanduser().absolute())
            for file in files:
                try:
                    parsed = read_source(file)
                except SourceError as error:
                    skipped.append(Skipped(error.source, error.line, error.reason))
                    if len(files) == 1:
                        failed.append(error)
                    continue
                read.append((Source(str(file), root), parsed.entries))
                skipped.extend(parsed.skipped)
        return self._store(read, skipped, failed, progress)

    def add_starter(self, progress: Progress = no_progress) -> IndexReport:
        """Indexes the starter library: summaries in our own words."""
        read: list[tuple[Source, Sequence[Entry]]] = []
        with resources.as_file(resources.files("index").joinpath(STARTER)) as folder:
            for file in sorted(folder.glob("*.txt")):
                read.append((Source(f"{STARTER}/{file.name}", STARTER, starter=True), read_source(file).entries))
        return self._store(read, [], [], progress)

    def refresh(self, progress: Progress = no_progress) -> IndexReport:
        """Reads all known sources again. Those that are gone keep their papers, and are told."""
        roots = sorted({source.root for source, _ in self.catalogue.sources() if not source.starter})
        report = self.add(roots, progress)
        gone = tuple(
            Skipped(error.source, error.line, f"{error.reason}; its papers are kept (drop them with `assistant remove`)")
            for error in report.failed
        )
        known = {skip.source for skip in report.skipped}
        return replace(report, skipped=report.skipped + tuple(skip for skip in gone if skip.source not in known), failed=())

    def remove(self, name: str) -> int:
        """Forgets a source by its name or by what was asked for when it was added.

        Returns the number of papers that went with it. Raises `SourceError` where it is unknown.
        """
        wanted = {name, str(Path(name).expanduser().absolute()), str(Path(name).expanduser().resolve())}
        known = [source for source, _ in self.catalogue.sources()]
        names = [source.name for source in known if source.name in wanted or source.root in wanted]
        if not names:
            listing = ", ".join(source.name for source in known) or "none"
            raise SourceError(name, f"no such source in the library; known: {listing}")
        with self._writing():
            gone = sum(self.catalogue.remove_source(each) for each in names)
            self._follow(no_progress, changed=True)
        return gone

    def catch_up(self, progress: Progress = no_progress) -> None:
        """Makes the vectors hold exactly the catalogue's papers, whatever happened before."""
        if self.stale():
            with self._writing():
                self._follow(progress, changed=False)

    def stale(self) -> int:
        """The number of papers whose vectors are missing or out of date."""
        manifest = manifests.read(self.home)
        missing = self.catalogue.count() - len(self.catalogue.confirmed(self._fresh.fingerprint))
        if missing == 0 and manifest is not None and self._vectors_lost(manifest):
            return self.catalogue.count()
        return missing

    # Reading

    def papers(self, paper_ids: Sequence[str] | None = None) -> list[Paper]:
        """Papers by id, in that order, or all by title."""
        return self.catalogue.papers(paper_ids)

    def search_words(self, terms: Terms, limit: int, allowed: set[str] | None = None) -> list[Hit]:
        """Papers that hold the terms, best first."""
        found = self.lexical.search(terms, limit if allowed is None else self.catalogue.count())
        return [Hit(paper_id, share) for paper_id, share in found if allowed is None or paper_id in allowed][:limit]

    def search_vectors(self, part: Part, query: Vectors, limit: int, allowed: set[str] | None = None) -> list[Hit]:
        """Chunks or sentences near a vector of shape (dimension,), best first."""
        hits = self.vectors.search(part, query, limit, allowed)
        return [Hit(hit.paper_id, hit.cosine, hit.position) for hit in hits if self._confirms(hit.paper_id, hit.digest)]

    def chunk_cosines(self, query: Vectors, paper_ids: Sequence[str]) -> dict[str, float]:
        """For papers that the search did not reach, the cosine of their first chunk."""
        wanted = [(paper_id, self._confirmed[paper_id], 0) for paper_id in paper_ids if paper_id in self._confirmed]
        if not wanted:
            return {}
        cosines = self.vectors.fetch("chunks", wanted) @ query
        return {paper_id: float(cosine) for (paper_id, _, _), cosine in zip(wanted, cosines, strict=True)}

    def sentences(self, paper_ids: Sequence[str]) -> dict[str, tuple[Spans, Vectors]]:
        """For each paper, the spans of its sentences and their vectors, row by row."""
        states = {key: state for key, state in self.catalogue.embedded(paper_ids).items() if key in self._confirmed}
        wanted = [
            (paper_id, self._confirmed[paper_id], position)
            for paper_id, state in states.items()
            for position in range(len(state.sentences))
        ]
        vectors = self.vectors.fetch("sentences", wanted) if wanted else None
        found: dict[str, tuple[Spans, Vectors]] = {}
        row = 0
        for paper_id, state in states.items():
            assert vectors is not None
            found[paper_id] = (state.sentences, vectors[row : row + len(state.sentences)])
            row += len(state.sentences)
        return found

    def allowed(self, wanted: PaperFilter) -> set[str]:
        """Ids of the papers that pass a filter."""
        return self.catalogue.allowed(wanted)

    def reopen_if_moved(self) -> None:
        """Sees what other processes wrote since the last call. Cheap where nothing did."""
        stamp = manifests.stamp(self.home)
        if stamp != self._seen_stamp:
            self.vectors.close()
            self.lexical.forget()
            self._confirmed = self.catalogue.confirmed(self._fresh.fingerprint)
            self._seen_stamp = stamp

    def manifest(self) -> manifests.Manifest | None:
        """What made the vectors."""
        return manifests.read(self.home)

    # Inside

    def _store(
        self, read: Sequence[tuple[Source, Sequence[Entry]]], skipped: list[Skipped], failed: list[SourceError], progress: Progress
    ) -> IndexReport:
        change = Change()
        if read:
            with self._writing():
                change = self.catalogue.put_sources(read)
                self._follow(progress, changed=bool(change.new or change.changed))
        return IndexReport(
            read=sum(len(entries) for _, entries in read),
            new=change.new,
            changed=change.changed,
            unchanged=change.unchanged,
            seen_before=change.seen_before,
            papers=self.catalogue.count(),
            skipped=tuple(skipped),
            failed=tuple(failed),
        )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        lock = filelock.FileLock(self.home / "write.lock")
        try:
            lock.acquire(timeout=_LOCK_SECONDS)
        except filelock.Timeout as error:
            raise BusyError(f"{self.home}: another process is writing to this home: wait until it is done, then try again") from error
        try:
            yield
        finally:
            lock.release()

    def _follow(self, progress: Progress, changed: bool) -> None:
        """Makes Chroma follow the catalogue; the caller holds the write lock.

        What is about to be written is marked first, so that a fault in between is seen later.
        """
        before = manifests.read(self.home)
        fingerprint = self._fresh.fingerprint
        if before is not None and self._vectors_lost(before):
            self.vectors.empty()
            self.catalogue.forget_embedded(self.catalogue.embedded())
        digests = self.catalogue.digests()
        held = self.catalogue.embedded()
        gone = [paper_id for paper_id in held if paper_id not in digests]
        stale = [
            key for key, digest in digests.items() if key not in held or (held[key].fingerprint, held[key].digest) != (fingerprint, digest)
        ]
        if not (gone or stale or changed) and before is not None and before.complete:
            return
        generation = 1 if before is None else before.generation + 1
        manifests.write(self.home, replace(self._fresh, generation=generation))
        self.vectors.remove([paper_id for paper_id in gone if held[paper_id].fingerprint == fingerprint])
        self.catalogue.forget_embedded(gone)
        for first in range(0, len(stale), _PAPERS_AT_ONCE):
            progress(first, len(stale))
            self._embed(stale[first : first + _PAPERS_AT_ONCE], digests, held)
        progress(len(stale), len(stale))
        self.vectors.drop_others()
        manifests.write(
            self.home,
            replace(
                self._fresh,
                generation=generation,
                complete=True,
                papers=len(digests),
                chunks=self.vectors.count("chunks"),
                sentences=self.vectors.count("sentences"),
            ),
        )

    def _embed(self, paper_ids: Sequence[str], digests: dict[str, str], held: dict[str, Embedded]) -> None:
        papers = self.catalogue.papers(paper_ids)
        texts = cut(papers, self.embedder)
        fingerprint = self._fresh.fingerprint
        chunks = [chunk for paper in texts for chunk in paper.chunks]
        sentences = [sentence for paper in texts for sentence in paper.sentences]
        both = self.embedder.embed_texts(chunks + sentences)
        vectors: dict[Part, Vectors] = {"chunks": both[: len(chunks)], "sentences": both[len(chunks) :]}
        states = {paper.paper_id: Embedded(fingerprint, digests[paper.paper_id], paper.spans) for paper in texts}
        self.catalogue.mark_embedded({key: replace(state, digest=None) for key, state in states.items()})
        self.vectors.remove([key for key in paper_ids if key in held and held[key].fingerprint == fingerprint])
        self.vectors.add(papers, texts, digests, vectors)
        self.catalogue.mark_embedded(states)

    def _vectors_lost(self, manifest: manifests.Manifest) -> bool:
        """Whether Chroma holds other than what a finished run left there."""
        if not manifest.complete or manifest.fingerprint != self._fresh.fingerprint:
            return False
        return any(self.vectors.count(part) != getattr(manifest, part) for part in PARTS)

    def _confirms(self, paper_id: str, digest: str) -> bool:
        return self._confirmed.get(paper_id, "").startswith(digest) and bool(digest)
