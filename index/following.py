"""Makes the vectors follow the catalogue, whatever instant the work was broken off before.

What is about to be written or removed is marked beside the token states first (a digest of None), so
that a later run knows what it cannot rely on. Vectors that are not what the marks say (a deleted
folder, a catalogue begun anew, another model's) are made anew as a whole. Knows nothing of sources.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from index import manifest as manifests
from index.catalogue import Catalogue
from index.chunking import PaperTexts, cut
from index.embedding import Embedder, Encoded, Vectors, embed
from index.errors import HomeError
from index.manifest import Manifest
from index.paper import Paper
from index.states import PaperStates, StateStore, fit_moment, moment_of, pool
from index.vectors import VectorStore

Progress = Callable[[int, int], None]
"""Called with the number of papers embedded so far, and of all to embed."""

_PAPERS_AT_ONCE = 64
_PAPERS_TO_FIT = 64
"""Papers whose token states a projection is found from, where the model brings none: the first ones."""


def no_more(generation: int) -> None:
    """The default: nothing else follows."""


@dataclass(frozen=True)
class _Work:
    """What is to be done."""

    manifest: Manifest | None
    anew: bool
    """Whether nothing that the vectors hold can be kept."""
    gone: list[str]
    """Papers whose vectors are to be removed."""
    stale: list[str]
    """Papers to embed."""
    digests: dict[str, str]
    """Of every paper, what is to be embedded."""
    held: Container[str] = ()
    """Papers that the vectors may hold something of."""

    @property
    def nothing(self) -> bool:
        """Whether the vectors hold exactly the catalogue's papers."""
        if self.manifest is None:
            return not (self.anew or self.digests)
        return self.manifest.complete and not (self.anew or self.gone or self.stale)


class Follower:
    """Keeps one home's vectors. `follow` is for who holds the write lock, and so is whatever is asked to be judged."""

    def __init__(
        self,
        home: Path,
        catalogue: Catalogue,
        vectors: VectorStore,
        states: StateStore,
        embedder: Embedder,
        place: str = "",
        manifest: str = manifests.FILE,
    ) -> None:
        """`place`: the server that holds the vectors, where one does. `manifest`: the file that tells their state; where it is
        `manifests.NEXT`, the vectors of others beside them stay."""
        self._home = home
        self._catalogue = catalogue
        self._vectors = vectors
        self._states = states
        self._embedder = embedder
        self._fresh = manifests.fresh(embedder, place)
        self._manifest = manifest

    def missing(self, judged: bool) -> int:
        """The number of papers to embed. `judged`: vectors that cannot be relied on count as missing, which takes a while to find out."""
        return len(self._work(judged).stale)

    def settled(self) -> bool:
        """Whether all is done, as far as can be seen without looking through anything. Cheap."""
        manifest = manifests.read(self._home, self._manifest)
        if manifest is None:
            return not (self._catalogue.digests() or self._states.digests())
        return manifest.complete and self._vectors.settled(manifest.generation) and self._work(judged=False).nothing

    def follow(self, progress: Progress, changed: bool, before_last: Callable[[int], None] = no_more) -> None:
        """Makes the vectors hold exactly the catalogue's papers. `changed`: papers changed, perhaps nothing that is embedded.

        `before_last` is called with the new generation before it is said to be complete.
        """
        work = self._work(judged=True)
        if work.nothing and not changed:
            if work.manifest is not None:
                self._vectors.finish(work.manifest.generation)  # what only seemed to have moved is not looked at again
            return
        self._vectors.require_writable()
        if work.anew or work.manifest is None:
            if self._manifest == manifests.NEXT:
                self._vectors.drop()
            else:
                self._vectors.empty()
                self._states.drop_others()
            self._states.empty()
        generation = work.manifest.generation + 1 if work.manifest else 1
        manifests.write(self._home, replace(self._fresh, generation=generation, papers=len(work.digests)), self._manifest)
        self._remove(work.gone)
        for first in range(0, len(work.stale), _PAPERS_AT_ONCE):
            progress(first, len(work.stale))
            self._embed(work.stale[first : first + _PAPERS_AT_ONCE], work.digests, work.held)
        progress(len(work.stale), len(work.stale))
        before_last(generation)
        finished = replace(
            self._fresh,
            generation=generation,
            complete=True,
            papers=len(work.digests),
            chunks=self._vectors.count("chunks"),
            sentences=self._states.sentences(),
        )
        self._vectors.finish(generation)
        manifests.write(self._home, finished, self._manifest)

    def doubt(self) -> None:
        """Says that nothing the vectors hold is to be kept, so that the next `follow` makes them anew."""
        manifest = manifests.read(self._home)
        manifests.write(self._home, replace(self._fresh, fingerprint="", generation=manifest.generation + 1 if manifest else 1))

    def _work(self, judged: bool) -> _Work:
        manifest = manifests.read(self._home, self._manifest)
        digests = self._catalogue.digests()
        spoilt = self._spoilt() if judged else []
        held = {} if self._states.damaged() else {**self._states.digests(), **dict.fromkeys(spoilt)}
        if self._lost(manifest, held, judged):
            return _Work(manifest, True, [], list(digests), digests)
        gone = [paper_id for paper_id in held if paper_id not in digests]
        stale = [paper_id for paper_id, digest in digests.items() if held.get(paper_id) != digest]
        return _Work(manifest, False, gone, stale, digests, held)

    def _spoilt(self) -> list[str]:
        """Papers whose token states are not what was written: they are embedded again."""
        try:
            return [] if self._states.damaged() else self._states.spoilt()
        except HomeError:
            if not self._states.damaged():
                raise
            return []

    def _lost(self, manifest: Manifest | None, held: dict[str, str | None], judged: bool) -> bool:
        """Whether the vectors are other than what the catalogue's marks say."""
        if manifest is None:
            return bool(held)
        if (manifest.fingerprint, manifest.place) != (self._fresh.fingerprint, self._fresh.place) or self._states.damaged():
            return True
        generation = manifest.generation if manifest.complete else None
        if not judged and not (generation is not None and self._vectors.settled(generation)):
            return False  # not to be opened unjudged
        if judged and self._vectors.fault(generation) is not None:
            return True
        chunks, sure = self._vectors.count("chunks"), self._states.chunks()
        if None in held.values():  # broken off: what was being written may be there or not
            return chunks < sure
        return chunks != sure or (manifest.complete and chunks != manifest.chunks)

    def _remove(self, paper_ids: Sequence[str]) -> None:
        if paper_ids:
            self._states.doubt(paper_ids)
            self._vectors.remove(paper_ids)
            self._states.remove(paper_ids)

    def _embed(self, paper_ids: Sequence[str], digests: dict[str, str], held: Container[str]) -> None:
        papers = self._catalogue.papers(paper_ids)
        texts = cut(papers, self._embedder)
        vectors, states = self._encoded(papers, texts, digests)
        self._states.doubt(paper_ids)
        self._vectors.remove([paper_id for paper_id in paper_ids if paper_id in held])
        self._vectors.add(papers, texts, digests, {"chunks": vectors})
        self._states.put(states)

    def _encoded(
        self, papers: Sequence[Paper], texts: Sequence[PaperTexts], digests: dict[str, str]
    ) -> tuple[Vectors, dict[str, PaperStates]]:
        """The vectors of all chunks, and each paper's states, pooled as soon as its last chunk is encoded: nothing else is held."""
        owners = [number for number, of in enumerate(texts) for _ in of.chunks]
        firsts = np.cumsum([0, *(len(of.chunks) for of in texts)])
        waiting: list[dict[int, Encoded]] = [{} for _ in texts]
        vectors = np.empty((len(owners), self._embedder.dimension), dtype=np.float32)
        states: dict[str, PaperStates] = {}
        projection = self._projection(texts)
        for place, encoded in self._embedder.encode([chunk for of in texts for chunk in of.chunks]):
            vectors[place] = encoded.vector
            number = owners[place]
            waiting[number][place - int(firsts[number])] = encoded
            if len(waiting[number]) == len(texts[number].chunks):
                chunks = [one for _, one in sorted(waiting[number].items())]
                paper_id = papers[number].paper_id
                states[paper_id] = pool(texts[number], digests[paper_id], chunks, projection, self._apart(texts[number]))
                waiting[number].clear()
        return vectors, states

    def _apart(self, texts: PaperTexts) -> Vectors | None:
        """The vectors of sentences that cannot be pooled from a chunk's token states."""
        return None if self._embedder.pools_mean else embed(self._embedder, texts.sentences)

    def _projection(self, texts: Sequence[PaperTexts]) -> Vectors:
        """The model's own, or what the first papers give, which then stays."""
        found = self._embedder.projection if self._embedder.projection is not None else self._states.projection
        if found is None:
            chunks = [chunk for of in texts[:_PAPERS_TO_FIT] for chunk in of.chunks]
            found = fit_moment(moment_of(encoded.states for _, encoded in self._embedder.encode(chunks)))
            self._states.keep_projection(found)
        return found
