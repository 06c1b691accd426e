"""Makes the vectors follow the catalogue, whatever instant the work was broken off before.

What is about to be written or removed is marked in the catalogue first (a digest of None), so
that a later run knows what it cannot rely on. Vectors that are not what the marks say (a deleted
folder, a catalogue begun anew, another model's) are made anew as a whole. Knows nothing of sources.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from index import manifest as manifests
from index.catalogue import Catalogue, Embedded
from index.chunking import cut
from index.embedding import Embedder, Vectors
from index.manifest import Manifest
from index.vectors import Part, VectorStore

Progress = Callable[[int, int], None]
"""Called with the number of papers embedded so far, and of all to embed."""

_PAPERS_AT_ONCE = 64


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

    @property
    def nothing(self) -> bool:
        """Whether the vectors hold exactly the catalogue's papers."""
        if self.manifest is None:
            return not (self.anew or self.digests)
        return self.manifest.complete and not (self.anew or self.gone or self.stale)


class Follower:
    """Keeps one home's vectors. `follow` is for who holds the write lock, and so is whatever is asked to be judged."""

    def __init__(self, home: Path, catalogue: Catalogue, vectors: VectorStore, embedder: Embedder, place: str = "") -> None:
        self._home = home
        self._catalogue = catalogue
        self._vectors = vectors
        self._embedder = embedder
        self._fresh = manifests.fresh(embedder, place)

    def missing(self, judged: bool) -> int:
        """The number of papers to embed. `judged`: vectors that cannot be relied on count as missing, which takes a while to find out."""
        return len(self._work(judged).stale)

    def settled(self) -> bool:
        """Whether all is done, as far as can be seen without looking through anything. Cheap."""
        manifest = manifests.read(self._home)
        if manifest is None:
            return not (self._catalogue.digests() or self._catalogue.embedded_digests())
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
            self._vectors.empty()
            self._catalogue.forget_embedded()
        generation = work.manifest.generation + 1 if work.manifest else 1
        manifests.write(self._home, replace(self._fresh, generation=generation, papers=len(work.digests)))
        self._remove(work.gone)
        for first in range(0, len(work.stale), _PAPERS_AT_ONCE):
            progress(first, len(work.stale))
            self._embed(work.stale[first : first + _PAPERS_AT_ONCE], work.digests)
        progress(len(work.stale), len(work.stale))
        before_last(generation)
        finished = replace(
            self._fresh,
            generation=generation,
            complete=True,
            papers=len(work.digests),
            chunks=self._vectors.count("chunks"),
            sentences=self._vectors.count("sentences"),
        )
        self._vectors.finish(generation)
        manifests.write(self._home, finished)

    def doubt(self) -> None:
        """Says that nothing the vectors hold is to be kept, so that the next `follow` makes them anew."""
        manifest = manifests.read(self._home)
        manifests.write(self._home, replace(self._fresh, fingerprint="", generation=manifest.generation + 1 if manifest else 1))

    def _work(self, judged: bool) -> _Work:
        manifest = manifests.read(self._home)
        digests = self._catalogue.digests()
        held = self._catalogue.embedded_digests()
        if self._lost(manifest, held, judged):
            return _Work(manifest, True, [], list(digests), digests)
        gone = [paper_id for paper_id in held if paper_id not in digests]
        stale = [paper_id for paper_id, digest in digests.items() if held.get(paper_id) != digest]
        return _Work(manifest, False, gone, stale, digests)

    def _lost(self, manifest: Manifest | None, held: dict[str, str | None], judged: bool) -> bool:
        """Whether the vectors are other than what the catalogue's marks say."""
        if manifest is None:
            return bool(held)
        if (manifest.fingerprint, manifest.place) != (self._fresh.fingerprint, self._fresh.place):
            return True
        generation = manifest.generation if manifest.complete else None
        if not judged and not (generation is not None and self._vectors.settled(generation)):
            return False  # not to be opened unjudged
        if judged and self._vectors.fault(generation) is not None:
            return True
        chunks, sentences = self._vectors.count("chunks"), self._vectors.count("sentences")
        sure = self._catalogue.embedded_sentences()
        if None in held.values():  # broken off: what was being written may be there or not
            return sentences < sure or chunks < sum(digest is not None for digest in held.values())
        return sentences != sure or (manifest.complete and chunks != manifest.chunks)

    def _remove(self, paper_ids: Sequence[str]) -> None:
        if paper_ids:
            self._catalogue.doubt_embedded(paper_ids)
            self._vectors.remove(paper_ids)
            self._catalogue.forget_embedded(paper_ids)

    def _embed(self, paper_ids: Sequence[str], digests: dict[str, str]) -> None:
        papers = self._catalogue.papers(paper_ids)
        texts = cut(papers, self._embedder)
        chunks = [chunk for paper in texts for chunk in paper.chunks]
        sentences = [sentence for paper in texts for sentence in paper.sentences]
        both = self._embedder.embed_texts(chunks + sentences)
        vectors: dict[Part, Vectors] = {"chunks": both[: len(chunks)], "sentences": both[len(chunks) :]}
        held = list(self._catalogue.embedded(paper_ids))
        states = {paper.paper_id: Embedded(self._fresh.fingerprint, digests[paper.paper_id], paper.spans) for paper in texts}
        self._catalogue.mark_embedded({paper_id: replace(state, digest=None) for paper_id, state in states.items()})
        self._vectors.remove(held)
        self._vectors.add(papers, texts, digests, vectors)
        self._catalogue.mark_embedded(states)
