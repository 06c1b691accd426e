"""Records for tests of the page, made by hand: a paper, a citation of it, an answer."""

from __future__ import annotations

from typing import Any

from assistant import Answer, Citation
from index import SUMMARY_NOTE, Paper

ABSTRACT = "Kettles boil slowly. TideKettle boils water 3x faster. It needs no new plug."
QUOTE = "TideKettle boils water 3x faster."


def paper(**changes: Any) -> Paper:
    values: dict[str, Any] = {
        "paper_id": "p1",
        "title": "TideKettle",
        "display_title": "TideKettle: Faster Tea",
        "abstract": ABSTRACT,
        "raw_abstract": ABSTRACT,
        "date": "2024-10-01",
        "note": SUMMARY_NOTE,
        "sources": ("starter/kettles.txt",),
    }
    return Paper(**{**values, **changes})


def citation(of: Paper, quote: str = QUOTE, marker: int = 1, **changes: Any) -> Citation:
    start = of.abstract.index(quote)
    values: dict[str, Any] = {
        "marker": marker,
        "paper_id": of.paper_id,
        "title": of.title,
        "display_title": of.display_title,
        "quote": quote,
        "start": start,
        "end": start + len(quote),
        "score": 0.9,
        "supported": True,
        "url": of.url,
        "date": of.date,
        "sources": of.sources,
        "note": of.note,
    }
    return Citation(**{**values, **changes})


def answer(text: str = f"{QUOTE} [1]", citations: tuple[Citation, ...] = (), **changes: Any) -> Answer:
    values: dict[str, Any] = {
        "question": "How fast is TideKettle?",
        "text": text,
        "answered": True,
        "mode": "extractive",
        "confidence": 0.9,
        "citations": citations,
        "timings_ms": {"total": 70.0},
    }
    return Answer(**{**values, **changes})
