"""The library: one home's papers, their text index and their vectors, kept together.

Goes in: files of papers. Comes out: papers, and hits for a question's words or vector. The
catalogue is written first, in one transaction; the vectors are then made to follow, and a
fault at any instant leaves work that the next `catch_up` finishes. Knows nothing of answers.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import filelock

from index import manifest as manifests
from index import postings
from index.catalogue import Catalogue, Spans, is_database_sound
from index.chroma import ChromaServer, LocalFolder, Place, Server
from index.chunking import cut
from index.embedding import Embedder, ModelChoice, Vectors
from index.embedding.chosen import load_embedder
from index.errors import BusyError, HomeError, ModelError, SourceError
from index.filtering import PaperFilter, words_of
from index.following import Follower
from index.following import Progress as Progress
from index.lexical import TITLE_WEIGHT, LexicalIndex, Terms
from index.paper import Entry, Paper, Skipped, Source
from index.sources import Asked, Gathered, Gathering, Hints, Note, read_source, service_of
from index.states import PaperStates, StateStore
from index.storing import Change
from index.vectors import Part, VectorStore

if TYPE_CHECKING:
    from llama_index.vector_stores.chroma import ChromaVectorStore

CATALOGUE_FILE = "catalogue.sqlite"
VECTORS_FOLDER = "vectors"
LOCK_FILE = "write.lock"
ID_FILE = "library.id"
"""What tells this library's collections from others' on a Chroma server."""
STARTER = "starter"
_LOCK_SECONDS = 10
_CHUNKS_OF_PAPER = 4
"""Looked at for each paper wanted."""
_FETCHED_AT_ONCE = 2_000
"""Vectors; Chroma is slow to fetch many more by their ids."""
_KEPT = "its papers are kept (drop them with `assistant remove`)"


def no_progress(done: int, total: int) -> None:
    """The default: nobody is told."""


def no_word(papers: int) -> None:
    """The default: nobody is told beforehand."""


def no_stage(stage: str) -> None:
    """The default: nobody is told of stages."""


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
    notes: tuple[Note, ...] = ()
    """What a user should know of how sources were read: which columns were taken, which files of a folder were left out."""


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

    def __init__(
        self,
        home: Path,
        embedder: Embedder | ModelChoice | None = None,
        chroma: ChromaServer | None = None,
        begin_anew: bool = False,
        device: str = "cpu",
    ) -> None:
        """Opens the home, creating it, for its owner alone, where there is none. One that cannot be written is read as it is.

        `embedder`: the model, or the choice of one; by default the shipped, tuned model; where its adapter is missing or
        damaged the untuned one, and `fault` says so. A home that another chosen model has embedded goes on answering with
        that one, and `wanted` is what `switch` brings. `chroma`: the server that holds the vectors; by default a folder of
        the home does. `begin_anew`: a catalogue that was lost is begun anew, a damaged one set aside first; otherwise either
        is an error. `device`: `cpu`, or `cuda` for an NVIDIA GPU.
        Raises `HomeError` where the folder cannot be made, read or understood, `ModelError` for a model that cannot be loaded.
        """
        self.home = home
        self.fault = ""
        self._device = device
        self.read_only = _is_read_only(home)
        catalogue = home / CATALOGUE_FILE
        if begin_anew:
            _set_aside_if_damaged(catalogue)
        elif not is_there(catalogue):
            self._require_no_papers("is gone")
        self.catalogue = Catalogue(catalogue, self.read_only)
        if not begin_anew and self.catalogue.is_blank():
            self._require_no_papers("is empty")
        self._place_name = chroma.name if chroma else ""
        self._place = place_of(home, chroma)
        self.note = self._place.note or (f"{home} cannot be written: it is read as it is" if self.read_only else "")
        """What is to be known of how the home is read; empty: nothing."""
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

    def add(
        self,
        patterns: Sequence[str | Asked],
        progress: Progress = no_progress,
        hints: Hints = Hints(),
        stage: Callable[[str], None] = no_stage,
    ) -> IndexReport:
        """Indexes files, folders, globs and services (`arxiv:QUERY`, say).

        `hints`: how they are to be read, remembered for `refresh`. `progress(done, total)` counts the papers
        embedded; where `stage` is given, it is told each stage as it begins (`reading`, `storing`, `embedding`),
        and `progress` counts the papers of every one (of `reading`, the total is an estimate that rises and falls).
        What cannot be read is told in the report; nothing stored is lost by it. A `KeyboardInterrupt` keeps what
        was read until then, and is raised again. Raises `BusyError` where another process is writing.
        """
        asked = [Asked(pattern, hints) if isinstance(pattern, str) else pattern for pattern in patterns]
        return self._add(asked, progress, stage, lambda gathered: (_unread(gathered), gathered.failed))

    def add_entries(self, source: Source, entries: Sequence[Entry], progress: Progress = no_progress) -> IndexReport:
        """Indexes papers that were read elsewhere, in place of what the source told before. Raises `BusyError` as `add` does."""
        return self._store([(source, entries)], (), (), progress)

    def add_starter(self, progress: Progress = no_progress) -> IndexReport:
        """Indexes the starter library: summaries in our own words."""
        return self._store(_starter(), (), (), progress)

    def refresh(self, progress: Progress = no_progress, stage: Callable[[str], None] = no_stage) -> IndexReport:
        """Reads all known sources again, as they were read before. Those that are gone keep their papers, and are told.

        `progress`, `stage` and what is raised: as of `add`.
        """
        known = [source for source, _ in self.catalogue.sources()]

        def told(gathered: Gathered) -> tuple[Sequence[Skipped], Sequence[SourceError]]:
            return _missed(known, gathered), ()

        return self._add(_asked_again(known), progress, stage, told, _starter() if any(source.starter for source in known) else ())

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

    def rebuild(self) -> None:
        """Says that the vectors and the text index are to be made anew from the catalogue, which the next `catch_up` or `add` does."""
        with self._writing():
            self.catalogue.rebuild_text()
            postings.drop(self.home)
            self._follower.doubt()

    def catch_up(self, progress: Progress = no_progress, before: Callable[[int], None] = no_word) -> None:
        """Makes the vectors hold exactly the catalogue's papers, whatever happened before.

        `before` is told the number of papers that are to be embedded, where there are any: those of damaged vectors, too.
        """
        if self._follower.settled():
            self._mend_postings()
            return
        to_embed = self._follower.missing(judged=False)
        if to_embed:
            before(to_embed)
        with self._writing():
            if not to_embed and (lost := self._follower.missing(judged=True)):  # damage, which only a closer look tells
                before(lost)
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
        vectors = VectorStore(self._place, fingerprint)
        store = StateStore(self.home, fingerprint, embedder.dimension)
        with self._writing():
            Follower(self.home, self.catalogue, vectors, store, embedder, self._place_name, manifests.NEXT).follow(progress, False)
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
            self.vectors.finish(generation)

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
        if self._follower.settled():
            return 0
        if self.read_only:
            return self._follower.missing(judged=True)
        try:
            with self._writing(seconds=0):
                return self._follower.missing(judged=True)
        except BusyError:  # who writes there can tell better
            return self._follower.missing(judged=False)

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

    def confirmed_ids(self) -> set[str]:
        """Ids of the papers whose vectors are there and up to date."""
        return set(self._confirmed)

    def first_vectors(self, paper_ids: Sequence[str]) -> dict[str, Vectors]:
        """Of each paper the vector of its first chunk, shape (dimension,); one that has none yet is left out."""
        confirmed, found = self._confirmed, dict[str, Vectors]()
        for first in range(0, len(paper_ids), _FETCHED_AT_ONCE):
            some = [(paper_id, confirmed[paper_id], 0) for paper_id in paper_ids[first : first + _FETCHED_AT_ONCE] if paper_id in confirmed]
            found |= {paper_id: vector for (paper_id, _, _), vector in self.vectors.fetch("chunks", some).items()}
        return {paper_id: found[paper_id] for paper_id in paper_ids if paper_id in found}

    def states_of(self, paper_ids: Sequence[str]) -> dict[str, PaperStates]:
        """For each paper its token states and its sentences. A paper that another process is replacing at this moment is left out."""
        found = self.states.fetch(paper_ids)
        return {
            paper_id: found[paper_id] for paper_id in paper_ids if paper_id in found and self._confirms(paper_id, found[paper_id].digest)
        }

    def sentences(self, paper_ids: Sequence[str]) -> dict[str, tuple[Spans, Vectors]]:
        """For each paper, the spans of its sentences and their vectors, row by row; one without any is left out, as above."""
        return {paper_id: (one.spans, one.sentences) for paper_id, one in self.states_of(paper_ids).items() if one.spans}

    def llama_index(self) -> ChromaVectorStore:
        """The chunks as LlamaIndex's vector store, for an index or a query engine of one's own over them. It is read, not written."""
        return self.vectors.llama_index("chunks", self._told)

    def _told(self, paper_ids: Sequence[str]) -> dict[str, tuple[str, Sequence[str]]]:
        """The title of each paper and its chunks' texts."""
        papers = self.catalogue.papers(paper_ids)
        return {paper.paper_id: (paper.title, of.chunks) for paper, of in zip(papers, cut(papers, self.embedder), strict=True)}

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

    def count_known(self, field: Literal["authors", "venue", "date"]) -> int:
        """For how many papers a field is known; a date with its year."""
        return self.catalogue.count_known(field)

    def is_venue(self, name: str) -> bool:
        """Whether some paper's venue has this name, as a whole; case, accents and punctuation do not count."""
        return words_of(name) in self.catalogue.venues()

    def near(self, paper_id: str, limit: int) -> list[Hit]:
        """The papers nearest to one, by the vectors of their chunks, best first, without itself."""
        digest = self._confirmed.get(paper_id)
        own = self.vectors.fetch("chunks", [(paper_id, digest, 0)]) if digest else {}
        found: dict[str, Hit] = {}
        for vector in own.values():
            for hit in self.search_vectors("chunks", vector, limit * _CHUNKS_OF_PAPER + 1):
                if hit.paper_id != paper_id:
                    found.setdefault(hit.paper_id, hit)
        return list(found.values())[:limit]

    def reopen_if_moved(self) -> None:
        """Sees what other processes wrote since the last call. Cheap where nothing did."""
        stamp = manifests.stamp(self.home)
        if stamp != self._seen_stamp:
            self._follow_switch()
            manifest = self.manifest()
            if manifest is None or manifest.complete or self._seen_stamp == -1:
                self.vectors.close()  # but not to open it again while another process writes there
            if self.read_only:
                self.catalogue.close()
                self.states.close()
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
        self._fresh = manifests.fresh(embedder, self._place_name)
        self.vectors = VectorStore(self._place, self._fresh.fingerprint)
        self.states = StateStore(self.home, self._fresh.fingerprint, embedder.dimension, self.read_only)
        self._follower = Follower(self.home, self.catalogue, self.vectors, self.states, embedder, self._place_name)

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

    def _add(
        self, asked: Sequence[Asked], progress: Progress, stage: Callable[[str], None], told: _Tell, starter: _Read = ()
    ) -> IndexReport:
        """Reads what is asked for, and stores what came. `told`: what is skipped beside, and what failed."""
        stage("reading")
        gathering = Gathering(None if stage is no_stage else progress)
        try:
            gathering.read(asked)
        except KeyboardInterrupt:
            self._put(self._whole(gathering.gathered()))  # the vectors follow with the next command
            raise
        gathered = gathering.gathered()
        beside, failed = told(gathered)
        report = self._store((*self._whole(gathered), *starter), (*gathered.skipped, *beside), failed, progress, stage)
        return replace(report, notes=gathered.notes)

    def _whole(self, gathered: Gathered) -> _Read:
        """What each source holds; where only a part of it came, with what else it told before."""
        whole: list[tuple[Source, Sequence[Entry]]] = []
        for source, parsed in gathered.read:
            came = {entry.paper_id for entry in parsed.entries}
            before = self.catalogue.told_by(source.name) if parsed.partial else []
            whole.append((source, (*parsed.entries, *(entry for entry in before if entry.paper_id not in came))))
        return whole

    def _put(self, read: _Read) -> None:
        """Stores what each source tells; the vectors are left behind."""
        if read:
            with self._writing():
                self.catalogue.put_sources(read)

    def _store(
        self,
        read: _Read,
        skipped: Sequence[Skipped],
        failed: Sequence[SourceError],
        progress: Progress,
        stage: Callable[[str], None] = no_stage,
    ) -> IndexReport:
        change = Change()
        if read:
            with self._writing():
                stage("storing")
                change = self.catalogue.put_sources(read, no_progress if stage is no_stage else progress)
                stage("embedding")
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

    def _require_no_papers(self, how: str) -> None:
        """Raises `HomeError` where the manifest knows papers that the catalogue does not."""
        manifest = self.manifest()
        if manifest is not None and manifest.papers:
            raise HomeError(
                f"{self.home / CATALOGUE_FILE}: the catalogue {how}, though this home held {manifest.papers} papers. Nothing was deleted. "
                "Bring it back with `assistant restore FILE --force` from a backup, "
                "or index what you had once more: `assistant index SOURCES --rebuild`"
            )

    @contextmanager
    def _writing(self, seconds: float | None = None) -> Iterator[None]:
        if self.read_only:
            raise HomeError(f"{self.home}: the home cannot be written, only read: check its permissions, or choose another with --home")
        with write_lock(self.home, seconds):
            yield

    def _index_words(self, generation: int) -> None:
        """Makes the derived text index of a large library."""
        if self.catalogue.count() >= postings.PAPERS_FROM:
            postings.build(self.home, generation, self.catalogue, TITLE_WEIGHT)
        else:
            postings.drop(self.home)

    def _mend_postings(self) -> None:
        """Makes it where it is missing from a library that is whole otherwise: made by an older version, or deleted."""
        manifest = self.manifest()
        if self.read_only or manifest is None or manifest.papers < postings.PAPERS_FROM or postings.exists(self.home, manifest.generation):
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


def _is_read_only(home: Path) -> bool:
    """Whether a home can be read but not written. One that is not there yet is made."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.access(home, os.W_OK | os.X_OK):
            if not any(home.iterdir()):
                home.chmod(0o700)
            return False
    except OSError as error:
        raise HomeError(f"{home}: the home folder cannot be made ({error.strerror}): choose another with --home") from error
    if not is_there(home / CATALOGUE_FILE):
        raise HomeError(f"{home}: the home folder cannot be written: check its permissions, or choose another with --home")
    return True


def is_there(catalogue: Path) -> bool:
    """Whether a catalogue's file has anything in it."""
    try:
        return catalogue.stat().st_size > 0
    except OSError:
        return False


def _set_aside_if_damaged(catalogue: Path) -> None:
    if not is_there(catalogue) or is_database_sound(catalogue):
        return
    aside = catalogue.with_name(f"{catalogue.name}.damaged-{time.strftime('%Y%m%d-%H%M%S')}")
    try:
        for ending in ("", "-wal", "-shm"):
            file = catalogue.with_name(catalogue.name + ending)
            if file.exists():
                file.rename(aside.with_name(aside.name + ending))
    except OSError as error:
        raise HomeError(f"{catalogue}: the damaged file cannot be set aside ({error.strerror}): check the folder's permissions") from error


def place_of(home: Path, chroma: ChromaServer | None) -> Place:
    """Where the vectors of a home are."""
    return LocalFolder.of(home / VECTORS_FOLDER) if chroma is None else Server(chroma, _library_id(home))


@contextmanager
def write_lock(home: Path, seconds: float | None = None) -> Iterator[None]:
    """Keeps all others from writing to a home. Raises `BusyError` where one does for so many seconds, by default some."""
    lock = filelock.FileLock(home / LOCK_FILE, mode=0o600)
    try:
        lock.acquire(timeout=_LOCK_SECONDS if seconds is None else seconds)
    except filelock.Timeout as error:
        raise BusyError(f"{home}: another process is writing to this home: wait until it is done, then try again") from error
    except OSError as error:
        raise HomeError(f"{lock.lock_file}: {error.strerror or error}: check the home folder's permissions") from error
    try:
        yield
    finally:
        lock.release()


def _library_id(home: Path) -> str:
    """The home's own, made where there is none."""
    file = home / ID_FILE
    try:
        with suppress(FileExistsError), open(file, "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as opened:
            opened.write(secrets.token_hex(6))
        found = file.read_text().strip()
    except OSError as error:
        raise HomeError(f"{file}: cannot be read or written ({error.strerror}): check the disk's space and permissions") from error
    if not re.fullmatch("[0-9a-f]{12}", found):
        raise HomeError(f"{file}: not an id of this program's: delete this file, and the vectors are made anew under another")
    return found


_Read = Sequence[tuple[Source, Sequence[Entry]]]
_Tell = Callable[[Gathered], tuple[Sequence[Skipped], Sequence[SourceError]]]


def _starter() -> _Read:
    with resources.as_file(resources.files("index").joinpath(STARTER)) as folder:
        return [
            (Source(f"{STARTER}/{file.name}", STARTER, starter=True), read_source(file).entries) for file in sorted(folder.glob("*.txt"))
        ]


def _unread(gathered: Gathered) -> list[Skipped]:
    return [Skipped(error.source, error.line, error.reason) for error in gathered.unread]


def _asked_again(known: Sequence[Source]) -> list[Asked]:
    """What was named when these sources were added, each to be read as it was; what is new in a folder as most of it."""
    options: dict[str, Counter[str]] = {}
    for source in known:
        if not source.starter:
            options.setdefault(source.root, Counter())[source.options] += 1
    of_file = {source.name: Hints.from_json(source.options) for source in known}
    return [Asked(root, Hints.from_json(counts.most_common(1)[0][0]), of_file=of_file) for root, counts in sorted(options.items())]


def _missed(known: Sequence[Source], gathered: Gathered) -> list[Skipped]:
    """Known sources that could not be read again, and new files of theirs that could not be read at all."""
    found = {source.name for source, _ in gathered.read}
    services = [error for error in gathered.failed if service_of(error.source)]
    reasons = {error.source: error.reason for error in (*gathered.unread, *services)}
    unread = [
        Skipped(source.name, None, f"{reasons.pop(source.name, 'the file is not there any more')}; {_KEPT}")
        for source in known
        if not source.starter and source.name not in found
    ]
    return [*unread, *(each for each in _unread(gathered) if each.source in reasons)]
