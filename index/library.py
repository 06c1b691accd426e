"""The library: one home's papers, their text index and their vectors, kept together.

Goes in: files of papers. Comes out: papers, and hits for a question's words or vector. The
catalogue is written first, in one transaction; the vectors are then made to follow, and a
fault at any instant leaves work that the next `catch_up` finishes. Knows nothing of answers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

import filelock

from index import manifest as manifests
from index import postings
from index.catalogue import Catalogue, Change, PaperFilter, Spans
from index.embedding import Embedder, ModelChoice, Vectors
from index.embedding.chosen import load_embedder
from index.errors import BusyError, HomeError, ModelError, SourceError
from index.following import Follower
from index.following import Progress as Progress
from index.lexical import TITLE_WEIGHT, LexicalIndex, Terms
from index.paper import Entry, Paper, Skipped, Source
from index.sources import Gathered, gather, read_source
from index.states import PaperStates, StateStore
from index.vectors import Part, VectorStore

CATALOGUE_FILE = "catalogue.sqlite"
STARTER = "starter"
_LOCK_SECONDS = 10
_KEPT = "its papers are kept (drop them with `assistant remove`)"


def no_progress(done: int, total: int) -> None:
    """The default: nobody is told."""


def no_word(papers: int) -> None:
    """The default: nobody is told beforehand."""


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
    """Which chunk of the paper."""


class Library:
    """The papers of one home. One `Library` serves many threads."""

    def __init__(self, home: Path, embedder: Embedder | ModelChoice | None = None, device: str = "cpu") -> None:
        """Opens the home, creating it where there is none.

        `embedder`: the model, or the choice of one; by default the shipped, tuned model; where its adapter is missing or
        damaged the untuned one, and `fault` says so. A home that another chosen model has embedded goes on answering with
        that one, and `wanted` is what `switch` brings. `device`: `cpu`, or `cuda` for an NVIDIA GPU.
        Raises `HomeError` where the folder cannot be made, written or understood, `ModelError` for a model that cannot be loaded.
        """
        self.home = home
        self.fault = ""
        self._device = device
        try:
            home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HomeError(f"{home}: the home folder cannot be made ({error.strerror}): choose another with --home") from error
        if not os.access(home, os.W_OK | os.X_OK):
            raise HomeError(f"{home}: the home folder cannot be written: check its permissions, or choose another with --home")
        self.catalogue = Catalogue(home / CATALOGUE_FILE)
        self.wanted: Embedder | None = None
        self._use(self._present_or(embedder))
        self.lexical = LexicalIndex(self.catalogue, lambda word: self.embedder.count_tokens([word]) == [1], self._postings)
        self._seen_stamp = -1
        self._confirmed: dict[str, str] = {}

    def close(self) -> None:
        """Lets go of the files."""
        self.vectors.close()
        self.states.close()
        self.catalogue.close()

    # Writing

    def add(self, patterns: Sequence[str], progress: Progress = no_progress) -> IndexReport:
        """Indexes files, folders and globs.

        What cannot be read is told in the report; nothing stored is lost by it.
        Raises `BusyError` where another process is writing.
        """
        gathered = gather(patterns)
        return self._store(gathered.read, _told(gathered), gathered.failed, progress)

    def add_entries(self, source: Source, entries: Sequence[Entry], progress: Progress = no_progress) -> IndexReport:
        """Indexes papers that were read elsewhere, in place of what the source told before. Raises `BusyError` as `add` does."""
        return self._store([(source, entries)], (), (), progress)

    def add_starter(self, progress: Progress = no_progress) -> IndexReport:
        """Indexes the starter library: summaries in our own words."""
        return self._store(_starter(), (), (), progress)

    def refresh(self, progress: Progress = no_progress) -> IndexReport:
        """Reads all known sources again. Those that are gone keep their papers, and are told."""
        known = [source for source, _ in self.catalogue.sources()]
        gathered = gather(sorted({source.root for source in known if not source.starter}))
        starter = _starter() if any(source.starter for source in known) else ()
        found = {source.name for source, _ in gathered.read}
        reasons = {error.source: error.reason for error in gathered.unread}
        unread = [
            Skipped(source.name, None, f"{reasons.pop(source.name, 'the file is not there any more')}; {_KEPT}")
            for source in known
            if not source.starter and source.name not in found
        ]
        new = [Skipped(error.source, error.line, error.reason) for error in gathered.unread if error.source in reasons]
        return self._store((*gathered.read, *starter), (*gathered.skipped, *unread, *new), (), progress)

    def remove(self, name: str) -> int:
        """Forgets a source by its name or by what was asked for when it was added.

        Returns the number of papers that went with it. Raises `SourceError` where it is unknown.
        """
        wanted = {name, str(Path(name).absolute()), str(Path(name).resolve())}
        known = [source for source, _ in self.catalogue.sources()]
        names = [source.name for source in known if source.name in wanted or source.root in wanted]
        if not names:
            listing = ", ".join(source.name for source in known) or "none"
            raise SourceError(name, f"no such source in the library; known: {listing}")
        with self._writing():
            gone = sum(self.catalogue.remove_source(each) for each in names)
            self._follower.follow(no_progress, True, self._index_words)
        return gone

    def read_again(self, name: str) -> list[str]:
        """What else was added (folders, say) that still holds a file, so that a refresh reads it again."""
        path = Path(name).expanduser().absolute()
        roots = {source.root for source, _ in self.catalogue.sources() if not source.starter}
        return sorted(root for root in roots if Path(root) in path.parents and path.exists())

    def catch_up(self, progress: Progress = no_progress, before: Callable[[int], None] = no_word) -> None:
        """Makes the vectors hold exactly the catalogue's papers, whatever happened before.

        `before` is told the number of papers to embed, where there are any.
        """
        to_embed = self._follower.unfinished()
        if to_embed is None:
            self._mend_postings()
            return
        if to_embed:
            before(to_embed)
        with self._writing():
            self._follower.follow(progress, False, self._index_words)

    def switch(self, progress: Progress = no_progress) -> None:
        """Embeds all papers with the model that is wanted, then answers with that one.

        Until then, and in other processes, the present vectors go on answering; broken off, the next call goes on where this
        one stopped. Does nothing where no other model is wanted. Raises `BusyError`.
        """
        if self.wanted is None:
            if (self.home / manifests.NEXT).exists():  # of a switch that was broken off at its end, or taken back
                with self._writing():
                    self._tidy()
            return
        embedder = self.wanted
        fingerprint = manifests.fresh(embedder).fingerprint
        vectors = VectorStore(self.home / "vectors", fingerprint)
        store = StateStore(self.home, fingerprint, embedder.dimension)
        with self._writing():
            Follower(self.home, self.catalogue, vectors, store, embedder, manifests.NEXT).follow(progress, False)
            made, present = manifests.read(self.home, manifests.NEXT), manifests.read(self.home)
            assert made is not None and made.complete
            generation = max(made.generation, present.generation if present else 0) + 1
            self._index_words(generation)
            manifests.write(self.home, replace(made, generation=generation))
            store.close()
            self.states.close()
            self._use(embedder)
            self.wanted = None
            self._tidy()

    def switched(self) -> int:
        """How many papers the model that is wanted has embedded so far."""
        if self.wanted is None:
            return 0
        store = StateStore(self.home, manifests.fresh(self.wanted).fingerprint, self.wanted.dimension)
        try:
            return sum(digest is not None for digest in store.digests().values())
        finally:
            store.close()

    def stale(self) -> int:
        """The number of papers whose vectors are missing or out of date."""
        return self._follower.missing()

    # Reading

    def papers(self, paper_ids: Sequence[str] | None = None) -> list[Paper]:
        """Papers by id, in that order, or all by title."""
        return self.catalogue.papers(paper_ids)

    def search_words(self, terms: Terms, limit: int, allowed: set[str] | None = None, also: Collection[str] = ()) -> list[Hit]:
        """Papers that hold the terms, best first; after the first `limit` those of `also`."""
        return [Hit(paper_id, share) for paper_id, share in self.lexical.search(terms, limit, allowed, also)]

    def search_vectors(self, part: Part, query: Vectors, limit: int, allowed: set[str] | None = None) -> list[Hit]:
        """Chunks near a vector of shape (dimension,), best first."""
        hits = self.vectors.search(part, query, limit, allowed)
        return [Hit(hit.paper_id, hit.cosine, hit.position) for hit in hits if self._confirms(hit.paper_id, hit.digest)]

    def chunk_cosines(self, query: Vectors, paper_ids: Sequence[str]) -> dict[str, float]:
        """For papers that the search did not reach, the cosine of their first chunk."""
        confirmed = self._confirmed
        wanted = [(paper_id, confirmed[paper_id], 0) for paper_id in paper_ids if paper_id in confirmed]
        return {paper_id: float(vector @ query) for (paper_id, _, _), vector in self.vectors.fetch("chunks", wanted).items()}

    def states_of(self, paper_ids: Sequence[str]) -> dict[str, PaperStates]:
        """For each paper its token states and its sentences. A paper that another process is replacing at this moment is left out."""
        found = self.states.fetch(paper_ids)
        return {
            paper_id: found[paper_id] for paper_id in paper_ids if paper_id in found and self._confirms(paper_id, found[paper_id].digest)
        }

    def sentences(self, paper_ids: Sequence[str]) -> dict[str, tuple[Spans, Vectors]]:
        """For each paper, the spans of its sentences and their vectors, row by row; one without any is left out, as above."""
        return {paper_id: (one.spans, one.sentences) for paper_id, one in self.states_of(paper_ids).items() if one.spans}

    @property
    def fingerprint(self) -> str:
        """Of the model that answers and of how papers are cut and pooled."""
        return self._fresh.fingerprint

    @property
    def projection(self) -> Vectors | None:
        """What the kept token states were projected with, for a question's own; None where nothing is kept yet."""
        return self.embedder.projection if self.embedder.projection is not None else self.states.projection

    def allowed(self, wanted: PaperFilter) -> set[str]:
        """Ids of the papers that pass a filter."""
        return self.catalogue.allowed(wanted)

    def reopen_if_moved(self) -> None:
        """Sees what other processes wrote since the last call. Cheap where nothing did."""
        stamp = manifests.stamp(self.home)
        if stamp != self._seen_stamp:
            self._follow_switch()
            self.vectors.close()
            self.lexical.forget()
            self._confirmed = self._up_to_date()
            self._seen_stamp = stamp

    def manifest(self) -> manifests.Manifest | None:
        """What made the vectors."""
        return manifests.read(self.home)

    # Inside

    def _present_or(self, wanted: Embedder | ModelChoice | None) -> Embedder:
        """What made the vectors, where another model has been chosen since and it can still be loaded; else the wanted one."""
        choice = wanted if isinstance(wanted, ModelChoice) else wanted.choice if wanted is not None else ModelChoice()
        embedder: Embedder
        if wanted is None or isinstance(wanted, ModelChoice):
            embedder, self.fault = load_embedder(choice, self._device)
        else:
            embedder = wanted
        manifest = manifests.read(self.home)
        if manifest is None or not manifest.complete or manifest.choice == choice:
            return embedder
        try:
            present, fault = load_embedder(manifest.choice, self._device)
        except ModelError as error:
            self.fault = f"{error}. Its vectors cannot answer any more, and are made anew by {embedder.name}"
            return embedder
        if manifests.fresh(present).fingerprint != manifest.fingerprint:
            return embedder  # another version of it
        self.wanted, self.fault = embedder, fault
        return present

    def _use(self, embedder: Embedder) -> None:
        """From now on answers and embeds with a model, whose vectors may be there or not."""
        self.embedder = embedder
        self._fresh = manifests.fresh(embedder)
        self.vectors = VectorStore(self.home / "vectors", self._fresh.fingerprint)
        self.states = StateStore(self.home, self._fresh.fingerprint, embedder.dimension)
        self._follower = Follower(self.home, self.catalogue, self.vectors, self.states, embedder)

    def _follow_switch(self) -> None:
        """Answers with the model that another process has switched to."""
        manifest = manifests.read(self.home)
        if manifest is None or not manifest.complete or manifest.choice == self.embedder.choice:
            return
        embedder = self.wanted if self.wanted is not None and self.wanted.choice == manifest.choice else None
        embedder = embedder or load_embedder(manifest.choice, self._device)[0]
        if manifests.fresh(embedder).fingerprint == manifest.fingerprint:
            self.states.close()
            self._use(embedder)
            self.wanted = None

    def _tidy(self) -> None:
        """Removes what a switch leaves of the model before. Not while one is under way: its vectors are wanted."""
        (self.home / manifests.NEXT).unlink(missing_ok=True)
        self.vectors.drop_others()
        self.states.drop_others()

    def _store(self, read: _Read, skipped: Sequence[Skipped], failed: Sequence[SourceError], progress: Progress) -> IndexReport:
        change = Change()
        if read:
            with self._writing():
                change = self.catalogue.put_sources(read)
                self._follower.follow(progress, bool(change.new or change.changed), self._index_words)
        if change.gone:
            names = ", ".join(source.name for source, _ in read)
            skipped = (*skipped, Skipped(names, None, f"{change.gone} papers stand there no more and were forgotten"))
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
        except OSError as error:
            raise HomeError(f"{lock.lock_file}: {error.strerror or error}: check the home folder's permissions") from error
        try:
            yield
        finally:
            lock.release()

    def _index_words(self, generation: int) -> None:
        """Makes the derived text index of a large library."""
        if self.catalogue.count() >= postings.PAPERS_FROM:
            postings.build(self.home, generation, self.catalogue, TITLE_WEIGHT)
        else:
            postings.drop(self.home)

    def _mend_postings(self) -> None:
        """Makes it where it is missing from a library that is whole otherwise: made by an older version, or deleted."""
        manifest = self.manifest()
        if manifest is None or manifest.papers < postings.PAPERS_FROM or postings.exists(self.home, manifest.generation):
            return
        with self._writing():
            self._index_words(manifest.generation)
            manifests.write(self.home, manifest)  # so that readers reopen

    def _postings(self) -> postings.Postings | None:
        manifest = self.manifest()
        return postings.load(self.home, manifest.generation) if manifest and manifest.complete else None

    def _up_to_date(self) -> dict[str, str]:
        """Papers whose vectors are of what the catalogue holds, each with the digest of that."""
        digests = self.catalogue.digests()
        held = {} if self.states.damaged() else self.states.digests()
        return {paper_id: digest for paper_id, digest in held.items() if digest is not None and digest == digests.get(paper_id)}

    def _confirms(self, paper_id: str, digest: str) -> bool:
        return self._confirmed.get(paper_id, "").startswith(digest) and bool(digest)


_Read = Sequence[tuple[Source, Sequence[Entry]]]


def _starter() -> _Read:
    with resources.as_file(resources.files("index").joinpath(STARTER)) as folder:
        return [
            (Source(f"{STARTER}/{file.name}", STARTER, starter=True), read_source(file).entries) for file in sorted(folder.glob("*.txt"))
        ]


def _told(gathered: Gathered) -> tuple[Skipped, ...]:
    return gathered.skipped + tuple(Skipped(error.source, error.line, error.reason) for error in gathered.unread)
