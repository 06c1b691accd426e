"""A map of the library: every paper as a point, near to those it resembles, in clusters named by their telling words.

Goes in: the papers' vectors and texts. Comes out: points, clusters and names, kept in the home beside the vectors. t-SNE
(van der Maaten and Hinton 2008) as scikit-learn has it: sentence-transformers brings that package anyway, where umap-learn would add
a compiler (numba). Clusters are k-means of the points; names are class-based tf-idf (Grootendorst 2022). The same library gives the
same map. Knows nothing of pages shown.
"""

from __future__ import annotations

import json
import logging
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from index.embedding import Vectors
from index.errors import HomeError
from index.paper import Paper

if TYPE_CHECKING:
    from index.library import Library

FILE = "map-{}.npz"
"""In the home, by the fingerprint of the vectors it was drawn from."""
LAID_OUT = 5_000
"""Papers that t-SNE places, spread evenly over a larger library; the others go where those nearest to them are. It takes minutes for so
many, and grows faster than their number."""
_CHANGED = 0.2
"""Share of papers come or gone since, from which the map is drawn anew."""
_NEIGHBOURS = 5
_PERPLEXITY = 30
_CLUSTERS = 16
"""At most; more names than that cannot be read."""
_PAPERS_OF_CLUSTER = 4
"""A library of n papers has about the root of n / 4 clusters."""
_TERMS = 3
"""Of a name."""
_COMMON = 0.5
"""A word that a larger share of the papers hold tells nothing."""
_SEED = 0
_AT_ONCE = 2_000
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class PaperMap:
    """Where each paper stands."""

    paper_ids: tuple[str, ...]
    points: Vectors
    """Shape (papers, 2), within -1 and 1."""
    clusters: NDArray[np.int16]
    """The cluster of each paper, from 0."""
    names: tuple[str, ...]
    """Of each cluster: its telling words."""


def load_map(library: Library) -> PaperMap | None:
    """The map that was drawn, as far as it still fits: papers that are gone left out, new ones put beside those nearest to them.

    None where there is none, or too much has changed since. Raises `HomeError` where the file cannot be read.
    """
    kept = _read(library.home / FILE.format(library.fingerprint))
    if kept is None:
        return None
    now = library.confirmed_ids()
    known = set(kept.paper_ids)
    there = np.array([paper_id in now for paper_id in kept.paper_ids], dtype=bool)
    new = sorted(now - known)
    if len(new) + int((~there).sum()) > _CHANGED * len(kept.paper_ids) or not there.any():
        return None
    kept = PaperMap(tuple(paper_id for paper_id in kept.paper_ids if paper_id in now), kept.points[there], kept.clusters[there], kept.names)
    return _placed(library, kept, new) if new else kept


def draw_map(library: Library) -> PaperMap:
    """Draws the map anew, and keeps it where the home can be written. The same vectors give the same map.

    Raises `HomeError` where it cannot be kept.
    """
    ids = sorted(library.confirmed_ids())
    chosen = [ids[at] for at in np.linspace(0, len(ids) - 1, min(len(ids), LAID_OUT)).astype(int)] if ids else []
    found = library.first_vectors(chosen)
    chosen = [paper_id for paper_id in chosen if paper_id in found]
    points = lay_out(np.array([found[paper_id] for paper_id in chosen], dtype=np.float32).reshape(len(chosen), -1))
    clusters = cluster(points)
    drawn = PaperMap(tuple(chosen), points, clusters, name_clusters(library.papers(chosen), clusters))
    drawn = _placed(library, drawn, [paper_id for paper_id in ids if paper_id not in found])
    if not library.read_only:
        _write(library.home / FILE.format(library.fingerprint), drawn)
    return drawn


def lay_out(vectors: Vectors) -> Vectors:
    """Points (shape (papers, 2), within -1 and 1) of unit vectors (shape (papers, dimension)), those alike near to each other."""
    if len(vectors) < 4:  # too few for neighbours: side by side
        beside = [[(at - (len(vectors) - 1) / 2) / 2, 0.0] for at in range(len(vectors))]
        return np.array(beside, dtype=np.float32).reshape(-1, 2)
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    perplexity = min(_PERPLEXITY, (len(vectors) - 1) / 3)
    with threadpool_limits(1):  # so that those who ask meanwhile are answered
        points = TSNE(perplexity=perplexity, init="pca", random_state=_SEED, n_jobs=1).fit_transform(vectors)
    points = points - (points.max(axis=0) + points.min(axis=0)) / 2
    return np.asarray(points / max(float(np.abs(points).max()), 1e-9), dtype=np.float32)


def cluster(points: Vectors) -> NDArray[np.int16]:
    """The cluster of each point, from 0, the largest first."""
    count = min(_CLUSTERS, max(1, round((len(points) / _PAPERS_OF_CLUSTER) ** 0.5)), len(points))
    if count < 2:
        return np.zeros(len(points), dtype=np.int16)
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        labels = KMeans(count, n_init=4, random_state=_SEED).fit_predict(points)
    order = np.argsort(-np.bincount(labels, minlength=count), kind="stable")
    rank = np.empty(count, dtype=np.int16)
    rank[order] = np.arange(count)
    return np.asarray(rank[labels], dtype=np.int16)


def name_clusters(papers: Sequence[Paper], clusters: NDArray[np.int16]) -> tuple[str, ...]:
    """For each cluster its telling words: those that many of its papers hold and few others (class-based tf-idf, counted by papers)."""
    count = int(clusters.max(initial=-1)) + 1
    if not papers:
        return ()
    from sklearn.feature_extraction.text import CountVectorizer

    counter = CountVectorizer(
        stop_words="english",
        ngram_range=(1, 2),
        token_pattern=r"[^\W\d_][\w-]+[^\W_]",
        binary=True,
        min_df=2 if len(papers) > 20 else 1,
        max_df=_COMMON if len(papers) > 20 else 1.0,
    )
    try:
        held = counter.fit_transform([f"{paper.display_title} . {paper.abstract}" for paper in papers])
    except ValueError:  # what scikit-learn raises where no word is left
        return ("",) * count
    titles = counter.transform([paper.display_title for paper in papers])
    words = counter.get_feature_names_out()
    texts = held + titles  # a word of the title counts twice
    by_class = np.array([np.asarray(texts[clusters == each].sum(axis=0)).ravel() for each in range(count)], dtype=np.float64)
    totals = by_class.sum(axis=0)
    average = by_class.sum() / count
    share = by_class / np.maximum(by_class.sum(axis=1, keepdims=True), 1.0)
    weights = share * np.log1p(average / np.maximum(totals, 1.0)) * (by_class / np.maximum(totals, 1.0))
    return tuple(_name([str(words[at]) for at in np.argsort(-row, kind="stable")[:60] if row[at] > 0]) for row in weights)


def _name(words: Sequence[str]) -> str:
    """The first few that say something new: no two share a word, or its plural."""
    chosen: list[str] = []
    for word in words:
        stems = {part.rstrip("s") for part in word.split()}
        if not any(stems & {part.rstrip("s") for part in other.split()} for other in chosen):
            longer = next((other for other in words if " " in other and word in other.split()), "") if " " not in word else ""
            chosen.append(word if not longer or words.index(longer) > 2 * _TERMS else longer)
        if len(chosen) == _TERMS:
            break
    return " · ".join(chosen)


def _placed(library: Library, drawn: PaperMap, paper_ids: Sequence[str]) -> PaperMap:
    """The map with these papers too, each among the placed ones that are nearest to it."""
    if not paper_ids or not drawn.paper_ids:
        return drawn
    anchors = library.first_vectors(drawn.paper_ids[:LAID_OUT])
    known = [at for at, paper_id in enumerate(drawn.paper_ids) if paper_id in anchors]
    matrix = np.array([anchors[drawn.paper_ids[at]] for at in known], dtype=np.float32)
    ids, points, clusters = list(drawn.paper_ids), [drawn.points], [drawn.clusters]
    for first in range(0, len(paper_ids), _AT_ONCE):
        found = library.first_vectors(paper_ids[first : first + _AT_ONCE])
        if not found:
            continue
        cosines = np.array(list(found.values()), dtype=np.float32) @ matrix.T
        nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :_NEIGHBOURS]
        where = np.array(known)[nearest]
        ids += list(found)
        points.append(np.median(drawn.points[where], axis=1).astype(np.float32))
        clusters.append(drawn.clusters[where[:, 0]])
    return PaperMap(tuple(ids), np.concatenate(points), np.concatenate(clusters), drawn.names)


def _read(path: Path) -> PaperMap | None:
    try:
        with np.load(path, allow_pickle=False) as kept:
            names = tuple(str(name) for name in json.loads(str(kept["names"])))
            return PaperMap(tuple(map(str, kept["paper_ids"])), kept["points"], kept["clusters"], names)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HomeError(f"{path}: the map cannot be read ({error.strerror}): check its permissions") from error
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        log.warning("%s: not a map of this program (%s): it is drawn anew", path, error)
        return None


def _write(path: Path, drawn: PaperMap) -> None:
    draft = path.with_suffix(".new")
    arrays: dict[str, Any] = {
        "paper_ids": np.array(drawn.paper_ids, dtype=str),
        "points": drawn.points,
        "clusters": drawn.clusters,
        "names": np.array(json.dumps(drawn.names)),
    }
    try:
        with open(draft, "wb", opener=lambda file, flags: os.open(file, flags, 0o600)) as opened:
            np.savez_compressed(opened, **arrays)
        draft.replace(path)
    except OSError as error:
        raise HomeError(f"{path}: the map cannot be kept ({error.strerror}): check the disk's space and permissions") from error
    for other in path.parent.glob(FILE.format("*")):
        if other != path:
            other.unlink(missing_ok=True)
