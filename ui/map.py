"""The map of the library as the browser draws it, and its clusters as a list. Pure functions; titles are untrusted, and escaped.

Knows nothing of Gradio. `map.js` draws what `map_json` gives on a canvas of its own.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from assistant.sanitize import visible
from index import Paper
from index.mapping import PaperMap
from ui.markup import escape

DRAWN = 5_000
"""Points that the browser is given, spread evenly over a larger library: their titles go with them."""
LISTED = 100
"""Papers of a cluster that are listed."""


def drawn(whole: PaperMap, always: Collection[str]) -> list[int]:
    """Which papers of the map are drawn: all, or as many as the browser is given; those of `always` are."""
    count = len(whole.paper_ids)
    if count <= DRAWN:
        return list(range(count))
    spread = set(np.linspace(0, count - 1, DRAWN).astype(int).tolist())
    return sorted(spread | {at for at, paper_id in enumerate(whole.paper_ids) if paper_id in always})


def map_json(whole: PaperMap, shown: Sequence[int], titles: Mapping[str, str], lit: Collection[str], current: str) -> str:
    """What the browser draws. `shown`: which papers; `lit`: those the last answer cites; `current`: the one that is open."""
    ids = [whole.paper_ids[at] for at in shown]
    names = [name.split(" · ")[0] for name in whole.names]
    return json.dumps(
        {
            "points": np.round(whole.points[list(shown)], 4).tolist(),
            "clusters": whole.clusters[list(shown)].tolist(),
            "ids": ids,
            "titles": [visible(titles.get(paper_id, "")) for paper_id in ids],
            "names": [visible(name) for name in names],
            "lit": [at for at, paper_id in enumerate(ids) if paper_id in lit],
            "current": ids.index(current) if current in ids else -1,
        }
    )


def clusters_html(whole: PaperMap, shown: int, lit: int, opened: int, papers: Sequence[Paper]) -> str:
    """The clusters as buttons, and the papers of the one that is opened (-1: none), so that nobody needs the picture to find them."""
    counts = np.bincount(whole.clusters, minlength=len(whole.names))
    buttons = "".join(
        f'<li><button type="button" class="pa-cluster" data-do="cluster" data-cluster="{at}" aria-expanded="{str(at == opened).lower()}">'
        f'<span class="pa-dot" style="--pa-hue: {at}"></span><span>{escape(name) or "without words in common"}</span>'
        f'<span class="pa-bar-count">{counts[at]:,}</span></button></li>'
        for at, name in enumerate(whole.names)
    )
    listed = "".join(
        f'<li><button type="button" class="pa-open" data-do="open" data-id="{escape(paper.paper_id)}">'
        f"{escape(paper.display_title)}</button></li>"
        for paper in papers
    )
    rest = int(counts[opened]) - len(papers) if listed else 0
    more = f'<p class="pa-more">and {rest:,} more</p>' if rest > 0 else ""
    of_cluster = f'<h3>{escape(whole.names[opened])}</h3><ul class="pa-similar">{listed}</ul>{more}' if listed else ""
    all_papers = len(whole.paper_ids)
    told = f"{all_papers:,} papers" if shown == all_papers else f"{shown:,} of {all_papers:,} papers, evenly drawn"
    lights = f" The last answer cites {'the one' if lit == 1 else f'the {lit:,}'} with a ring." if lit else ""
    return f'<p class="pa-facts">{told}; near is alike.{lights}</p><ul class="pa-clusters">{buttons}</ul>{of_cluster}'
