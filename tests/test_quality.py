"""What the default set-up scores on the fixed question set must not fall below what stands in `eval/expected.json`.

Over the starter library with the models that ship, and over the real listings with those that have not
seen the papers of the set, as `python -m eval expect` measures them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant import Assistant
from eval import expected
from eval.held_out import held_out_encoder, held_out_readers
from eval.questions import FIXED, load
from eval.results import Run
from eval.run import run
from index import Library

_TAIL = 20
"""Characters of a quote that an answer shows whatever connective it leaves out at its beginning."""

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def unseeing(tmp_path_factory: pytest.TempPathFactory, corpus: Path) -> Iterator[Assistant]:
    encoder = held_out_encoder()
    library = Library(tmp_path_factory.mktemp("unseen"), encoder)
    library.add([str(corpus)])
    opened = Assistant(library.home, library=library, readers=held_out_readers())
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def over_starter(starter: Assistant) -> Run:
    return run(starter, load(FIXED), {})


@pytest.fixture(scope="module")
def over_listings(unseeing: Assistant) -> Run:
    return run(unseeing, load(FIXED), {})


@pytest.mark.parametrize(("library", "finished"), [(expected.STARTER, "over_starter"), (expected.LISTINGS, "over_listings")])
def test_no_headline_figure_is_worse_than_expected(library: str, finished: str, request: pytest.FixtureRequest) -> None:
    measured: Run = request.getfixturevalue(finished)
    assert [result.error for result in measured.results if result.error] == []
    assert [str(drop) for drop in expected.drops(measured, expected.load(library))] == []


def test_every_quote_is_the_abstracts_own(over_listings: Run) -> None:
    citations = [one for result in over_listings.results for one in result.citations]
    assert len(citations) > 300 and all(one.stands for one in citations)
    quoted = [
        one.quote.translate(str.maketrans("“”", "‘’"))[-_TAIL:] in result.answer
        for result in over_listings.results
        if "“" in result.answer and not _lists_papers(result.answer)  # which quotes none
        for one in result.citations
    ]
    assert len(quoted) > 300 and all(quoted)


def _lists_papers(answer: str) -> bool:
    return any(line.startswith("- ") and "“" not in line for line in answer.splitlines())
