from __future__ import annotations

import time

import pytest

from index.errors import SourceError
from index.sources.base import Parsed
from index.sources.markdown import FORMAT

GRAVEL = (
    "Gravel filters clear water slowly, "
    "in every season that we measured. They need no power, no pump and no care, and they last for a hundred years or more."
)
SAND = (
    "Sand moves faster than gravel, "
    "as the wind decides. We follow one dune for ten years with a camera, and find that it never comes back to the place that it left."
)


def read(text: str) -> Parsed:
    assert FORMAT.recognise(text)
    return FORMAT.parse(text, "list.md")


def told(parsed: Parsed) -> list[tuple[str, str, str | None]]:
    return [(entry.title, entry.abstract, entry.arxiv_id) for entry in parsed.entries]


TWO = [("On gravel and water", GRAVEL, "2101.00001"), ("On sand and wind", SAND, "2101.00002")]
LINKS = ["https://arxiv.org/abs/2101.00001", "https://arxiv.org/abs/2101.00002v3"]


def test_linked_headings_with_prose_under_them_are_papers() -> None:
    text = f"# Reading list\n\n## [On gravel and water]({LINKS[0]})\n\n{GRAVEL}\n\n"
    text += f"## [On sand and wind]({LINKS[1]})\n\n> {SAND}\n\n## [On silt](https://arxiv.org/abs/2101.00003)\n"
    parsed = read(text)
    assert told(parsed) == TWO
    assert [entry.line for entry in parsed.entries] == [3, 7]


def test_headings_with_a_labelled_abstract_are_papers() -> None:
    text = f"""# Notes

## On gravel and water

- **Authors:** Ada Stone, Bo Brook
- **Venue:** Filters 2021
- **DOI:** 10.1000/G.1
- **Link:** <{LINKS[0]}>
- **Abstract:** {GRAVEL}

## On sand and wind

Authors: Cy Dune
Year: 2022
arXiv: 2101.00002

### Abstract

{SAND}

### Notes

Read again.

## On silt and clay

**Abstract**

{GRAVEL}
"""
    parsed = read(text)
    assert told(parsed) == [*TWO, ("On silt and clay", GRAVEL, None)]
    first, second, _ = parsed.entries
    assert (first.authors, first.venue, first.doi, first.url) == (("Ada Stone", "Bo Brook"), "Filters 2021", "10.1000/g.1", LINKS[0])
    assert (second.authors, second.date) == (("Cy Dune",), "2022")


@pytest.mark.parametrize(
    "item",
    [
        "- **[{title}]({link})**\n\n  {abstract}\n",
        "- [{title}]({link})\n  > {abstract}\n",
        "1. **{title}** [[paper]({link})]\n   - Abstract: {abstract}\n",
        "* [{title}]({link}), Stone et al., 2021\n  * code: <https://ex.org>\n  * *Abstract.* {abstract}\n",
        "**[{title}]({link})**\n\n{abstract}\n",
        "**{title}** ([arXiv]({link}))\n\n> **Abstract:** {abstract}\n",
        "- **{title}** [pdf]({link})\n  <details><summary>Abstract</summary>\n  {abstract}\n  </details>\n",
    ],
)
def test_items_and_paragraphs_with_a_marked_title_are_papers(item: str) -> None:
    text = "# Reading\n\n" + "\n".join(
        item.format(title=title, abstract=abstract, link=link) for (title, abstract, _), link in zip(TWO, LINKS, strict=True)
    )
    assert told(read(text)) == TWO


def test_a_list_without_abstracts_gives_titles() -> None:
    text = "# Awesome gravel [![badge](https://img.ex/a.svg)](https://ex.org)\n\n## Papers\n\n" + "".join(
        f"- [On gravel number {n}](https://arxiv.org/abs/2101.0000{n}) - Slow but sure. [code](https://ex.org/{n})\n" for n in range(4)
    )
    parsed = read(text)
    assert [(entry.title, entry.arxiv_id) for entry in parsed.without_abstract] == [
        (f"On gravel number {n}", f"2101.0000{n}") for n in range(4)
    ]
    assert parsed.entries == ()


def test_comments_of_the_lists_author_are_no_abstracts() -> None:
    text = "".join(
        f"### [On gravel number {n}](https://arxiv.org/abs/2101.0000{n})\n- **Metrics:** Clearness\n- **Comments:** {GRAVEL}\n\n"
        for n in range(4)
    )
    assert (len(read(text).entries), len(read(text).without_abstract)) == (0, 4)


def test_a_table_of_papers_is_read_by_its_columns() -> None:
    text = "| Title | Venue | Year | Abstract |\n|---|---|---|---|\n"
    text += f"| [On gravel and water]({LINKS[0]}) | Filters | 2021 | {GRAVEL} |\n| On mud | Mire | 2020 | |\n"
    parsed = read(text)
    assert told(parsed) == TWO[:1]
    assert (parsed.entries[0].venue, parsed.entries[0].date, parsed.entries[0].line) == ("Filters", "2021", 3)
    assert [entry.title for entry in parsed.without_abstract] == ["On mud"]


README = f"""# Gravel

[![doi](https://zenodo.org/badge/DOI/10.5281/zenodo.1.svg)](https://doi.org/10.5281/zenodo.1)

Gravel is a library that filters. {GRAVEL}

## Installation

    pip install gravel

## Usage

Call `filter()`. {SAND}

- **Fast** filtering of [water](https://ex.org)
- **Simple** interface

## Citing

If you use it, please cite our [paper on gravel](https://arxiv.org/abs/2101.00001):

```
@article{{x}}
```

## Licence

MIT. {GRAVEL}
"""
CHANGES = "# Changelog\n\n## 1.2.0 (2021-03-04)\n\n" + "".join(
    f"- Filters are faster by {n} % ([#{n}](https://ex.org/{n}))\n" for n in range(20)
)
LICENCE = (
    "# A Licence\n\n## 1. Definitions\n\n"
    + GRAVEL
    + "\n\n## 2. Grant of rights\n\n"
    + SAND
    + "\n\n## 3. Limits of liability\n\n"
    + GRAVEL
    + "\n"
)
ESSAY = "# On abstract art\n\n" + "\n\n".join([GRAVEL, SAND, f"See [the paper on sand]({LINKS[0]}) for more. {SAND}"] * 3)


@pytest.mark.parametrize("text", [README, CHANGES, LICENCE, ESSAY, "On gravel\n\n" + GRAVEL, "", "# Abstract\n", "- a\n- b\n"])
def test_prose_in_markdown_is_no_list_of_papers(text: str) -> None:
    assert not FORMAT.recognise(text)
    with pytest.raises(SourceError, match="no list of papers"):
        FORMAT.parse(text, "x.md")


@pytest.mark.parametrize(
    "piece",
    [
        "[",
        "> ",
        "- ",
        "**",
        "![",
        "[a](",
        "`",
        "<",
        "# [a b c](https://arxiv.org/abs/2101.00001)\n",
        "- [x y z w](https://doi.org/10.1000/x)\n",
        "\\",
        "|a|b\n",
        "*a_ ",
    ],
)
def test_odd_markdown_takes_linear_time(piece: str) -> None:
    begun = time.process_time()
    for text in (piece * 20_000, "arxiv.org/ # x\n\n" + piece * 20_000):
        if FORMAT.recognise(text):
            FORMAT.parse(text, "x.md")
    assert time.process_time() - begun < 60


@pytest.mark.parametrize(
    "text",
    [
        f"# Papers\n\n## On gravel and water\n\n**Authors:** A\n\n**Abstract:** {GRAVEL}\n\n## On sand and wind\n\n**Abstract:** {SAND}\n",
        f"- **On gravel and water** (2020) [[pdf]]({LINKS[0]})\n  - {GRAVEL}\n- **On sand and wind** [[pdf]]({LINKS[1]})\n  - {SAND}\n",
        f"**1. On gravel and water**\n*A. Doe*\nAbstract: {GRAVEL}\n\n**2. On sand and wind**\n*B. Roe*\nAbstract: {SAND}\n",
        f"1. [On gravel and water]({LINKS[0]}). A. Doe.\n\n   > {GRAVEL}\n\n2. [On sand and wind]({LINKS[1]}). B. Roe.\n\n   > {SAND}\n",
        f"## On gravel and water\n\n*arXiv:2101.00001*\n\n{GRAVEL}\n\n## On sand and wind\n\n*arXiv:2101.00002*\n\n{SAND}\n",
        f"- title: On gravel and water\n  abstract: {GRAVEL}\n- title: On sand and wind\n  abstract: {SAND}\n",
    ],
)
def test_lists_of_several_styles_keep_every_paper_with_its_own_abstract(text: str) -> None:
    assert FORMAT.recognise(text)
    entries = FORMAT.parse(text, "x").entries
    assert [(entry.title, entry.abstract) for entry in entries] == [
        ("On gravel and water", " ".join(GRAVEL.split())),
        ("On sand and wind", " ".join(SAND.split())),
    ]


def test_a_heading_of_one_word_and_an_abstract_that_begins_with_a_label_are_read() -> None:
    text = "".join(
        f"### [{title}](https://arxiv.org/abs/2101.0000{n})\n\nBackground: {GRAVEL}\n\n" for n, title in enumerate(("BERT", "On sand"))
    )
    assert [(entry.title, entry.abstract[:11]) for entry in FORMAT.parse(text, "x").entries] == [
        ("BERT", "Background:"),
        ("On sand", "Background:"),
    ]


NOTE = "---\ntitle: 'On gravel: a note'\nauthors:\n  - Moss, A.\nyear: 2017\ndoi: 10.1000/gravel.1\ntags: [gravel, water]\n---\n"


@pytest.mark.parametrize(
    ("text", "abstract"),
    [
        (NOTE + "\n## Abstract\n\n" + GRAVEL + "\n\n## Notes\n\nI liked it.\n", GRAVEL),
        (NOTE + "> [!Cite]\n> Moss 2017\n\n> [!abstract]\n> " + GRAVEL + "\n", GRAVEL),
        (NOTE.replace("year: 2017", f"year: 2017\nabstract: {SAND}") + "\nMy thoughts are these.\n", SAND),
        (NOTE + "\nMy thoughts are these.\n", ""),
    ],
)
def test_a_note_that_begins_with_fields_is_one_paper(text: str, abstract: str) -> None:
    parsed = read(text)
    (entry,) = (*parsed.entries, *parsed.without_abstract)
    assert (entry.title, entry.abstract, entry.line) == ("On gravel: a note", abstract, 1)
    assert (entry.authors, entry.date, entry.doi, entry.tags) == (("Moss, A.",), "2017", "10.1000/gravel.1", ("gravel", "water"))


@pytest.mark.parametrize("front", ["title: My page\ndate: 2020-01-01", "a: &a [b]\ntitle: *a\ndoi: 10.1000/x", "title: [", "- title"])
def test_other_fields_before_a_text_make_no_paper(front: str) -> None:
    assert not FORMAT.recognise(f"---\n{front}\n---\n\nA page about nothing.\n")


def test_prose_quoted_below_an_item_is_its_abstract() -> None:
    text = f"# List\n\n- **[On gravel and water]({LINKS[0]})** (2021)\n  > {GRAVEL}\n\n"
    text += f"- **[On sand and wind]({LINKS[1]})**\n  > TL;DR: it moves\n"
    parsed = read(text)
    assert told(parsed) == TWO[:1] and [entry.title for entry in parsed.without_abstract] == ["On sand and wind"]
