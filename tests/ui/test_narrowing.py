from __future__ import annotations

from pathlib import Path

import pytest

from assistant import Filters
from index import Library
from tests.ui.test_render import HOSTILE, Page
from ui.narrowing import Narrowing, chips_html, choices

BIBTEX = """
@article{one, title={Tide Kettles}, author={Moss, Ada and Reed, Bo}, year=1993, groups={tea}, abstract={Kettles boil slowly. We boil.}}
@article{two, title={Slow Cups}, author={Moss, Ada}, year=1994, groups={tea}, abstract={Cups cool quickly. We keep tea warm.}}
@article{three, title={Quiet Spoons}, author={Tern, Cy}, year=1994, abstract={Spoons ring loudly. We damp their ringing at the bowl.}}
"""


@pytest.fixture
def library(toy_library: Library, tmp_path: Path) -> Library:
    (tmp_path / "tea.bib").write_text(BIBTEX)
    toy_library.add([str(tmp_path / "tea.bib")])
    return toy_library


def titles(library: Library, narrowing: Narrowing) -> set[str]:
    return {paper.title for paper in library.papers(sorted(library.allowed(narrowing.filters(library))))}


def test_what_there_is_to_choose_is_told_with_its_count_and_each_choice_narrows_to_as_many(library: Library) -> None:
    assert "Moss, Ada (2)" in [label for label, _ in choices(library, "author")]
    assert ("1994 (2)", "1994") in choices(library, "year")
    for field in ("source", "tag", "year", "author"):
        found = choices(library, field)  # type: ignore[arg-type]
        assert found
        for label, value in found:
            count = int(label.rpartition("(")[2].rstrip(")"))
            assert len(library.allowed(Narrowing(**{field: (value,)}).filters(library))) == count, label


def test_values_of_one_field_are_added_and_fields_narrow_each_other(library: Library) -> None:
    assert titles(library, Narrowing(year=("1993", "1994"), tag=("tea",))) == {"Tide Kettles", "Slow Cups"}
    assert titles(library, Narrowing(author=("Tern, Cy", "Reed, Bo"), year=("1994",))) == {"Quiet Spoons"}
    chosen = tuple(paper.paper_id for paper in library.papers() if paper.title != "Slow Cups")
    assert titles(library, Narrowing(only=chosen, author=("Moss, Ada",))) == {"Tide Kettles"}
    assert Narrowing().filters(library) == Filters()


def test_a_chip_takes_back_what_it_tells(library: Library) -> None:
    narrowing = Narrowing(year=("1993", "1994"), only=("an-id",))
    page = Page(chips_html(narrowing, ["Tide Kettles"]))
    assert page.text == "Only “Tide Kettles”×1993×1994×"
    assert narrowing.without("year", "1993") == Narrowing(year=("1994",), only=("an-id",))
    assert narrowing.without("only", "") == Narrowing(year=("1993", "1994"))
    assert chips_html(Narrowing()) == ""


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_stays_text_in_its_chip(text: str) -> None:
    page = Page(chips_html(Narrowing(tag=(text,), only=("an-id",)), [text]))
    assert {name for name, _ in page.elements} <= {"div", "span", "button", "br"} and not page.open
    names = {name for _, attributes in page.elements for name in attributes}
    assert names <= {"class", "type", "role", "aria-label", "data-field", "data-value"}
