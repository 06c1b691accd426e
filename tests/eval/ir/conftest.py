"""A tiny collection in our own words, of a field that no model of ours was tuned for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

DOCS = [
    {
        "_id": "d-1",
        "title": "",
        "text": "Sourdough rises slowly because wild yeast is scarce in a young starter. A warm kitchen speeds it.",
    },
    {"_id": "d_1", "title": "", "text": "Potatoes keep for months in a dark, cool cellar; light turns them green."},
    {"_id": "3", "title": "On bread", "text": "Salt slows yeast and firms the dough."},
    {"_id": "4", "title": "On bread", "text": "Steam in the first minutes lets the crust stretch."},
    {"_id": "5", "title": "Pickled cabbage for the winter", "text": ""},
    {"_id": "6", "title": "", "text": " "},
]
QUERIES = [
    {"_id": "q1", "text": "why does a young sourdough starter rise slowly"},
    {"_id": "q2", "text": "what does salt do to dough"},
    {"_id": "q3", "text": "nobody judged this"},
]
QRELS = [("q1", "d-1", 2), ("q1", "3", 1), ("q1", "4", 0), ("q2", "3", 1), ("q2", "d_1", 0)]


@pytest.fixture
def beir(tmp_path: Path) -> Path:
    folder = tmp_path / "kitchen"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, DOCS)))
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, QUERIES)))
    heading = "query-id\tcorpus-id\tscore\n"
    (folder / "qrels" / "test.tsv").write_text(heading + "".join(f"{query}\t{doc}\t{grade}\n" for query, doc, grade in QRELS))
    return folder
