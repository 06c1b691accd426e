"""What of a draft is a sentence, where it stands, and what it cites."""

from __future__ import annotations

import time

import pytest

from assistant.drafts.reading import read_draft

MARKDOWN = """---
title: On kelp
bibliography: kelp.bib
---

# Kelp grows in beds and is green

Kelp beds grow **2.4 times** faster in
cold water [@tide2020; @reef_19, p. 3]. They also shelter
young fish from larger ones.

- @tide2020 report that *urchins* eat kelp at night.
- Short label.

```python
kelp = "Kelp grows in code, and this is no sentence."
```

$$
growth = 15 x
$$

| Kelp | Fish eat kelp in tables. |
| ---- | ------------------------ |
| yes  | Many fish eat it here.   |

Beds lose $15\\%$ of their area each year [1, 3-4]. See [this survey](https://doi.org/10.1234/kelp.7) for beds in warm seas.

## References

[1] Doe, J. Loss of Kelp Beds in Warm Seas. Journal of Tides, 2020.
[3] Roe, R. Otters. 2021.
"""

LATEX = r"""\documentclass{article}
\usepackage{natbib} % a comment that is no sentence at all.
\begin{document}
\title{Kelp grows in many beds
 and titles}
\section{Kelp is a thing that grows}
Kelp beds grow \textbf{2.4$\times$} faster in cold
water~\citep[see][p.~3]{tide2020,reef_19}. They lose 15\% of % not this
their area each year.

\citet{tide2020} report that urchins eat kelp at night.
\begin{equation}
  This is mathematics and it is left out.
\end{equation}
\begin{itemize}
  \item Fish of many kinds hide in the beds.
\end{itemize}
\begin{table}\caption{Tables hold no sentences that count.}\end{table}
The last sentence follows a table here.
\bibliography{kelp, more}
\end{document}
Nothing after the end is a sentence here.
"""

PLAIN = """On Kelp And Its Beds

Kelp beds grow faster in cold
water than in warm water [2]. Otters protect
the beds from urchins.

References
[2] Doe, J. (2020). Kelp in Cold Water.
"""


def test_markdown_gives_its_prose_with_lines_and_keys() -> None:
    draft = read_draft(MARKDOWN, ".md")
    assert [(one.line, one.text, one.cites) for one in draft.sentences] == [
        (8, "Kelp beds grow 2.4 times faster in cold water.", ("tide2020", "reef_19")),
        (9, "They also shelter young fish from larger ones.", ()),
        (12, "They report that urchins eat kelp at night.", ("tide2020",)),
        (27, "Beds lose 15% of their area each year.", ("1", "3", "4")),
        (27, "See this survey for beds in warm seas.", ("https://doi.org/10.1234/kelp.7",)),
    ]
    assert draft.bibliographies == ("kelp.bib",)
    assert draft.references["1"] == "Doe, J. Loss of Kelp Beds in Warm Seas. Journal of Tides, 2020." and set(draft.references) == {
        "1",
        "3",
    }


def test_latex_gives_its_prose_with_lines_and_keys() -> None:
    draft = read_draft(LATEX, ".tex")
    assert [(one.line, one.text, one.cites) for one in draft.sentences] == [
        (7, "Kelp beds grow 2.4× faster in cold water.", ("tide2020", "reef_19")),
        (8, "They lose 15% of their area each year.", ()),
        (11, "They report that urchins eat kelp at night.", ("tide2020",)),
        (16, "Fish of many kinds hide in the beds.", ()),
        (19, "The last sentence follows a table here.", ()),
    ]
    assert draft.bibliographies == ("kelp", "more")


def test_a_plain_text_gives_its_prose_and_its_numbered_list() -> None:
    draft = read_draft(PLAIN, ".txt")
    assert [(one.line, one.text, one.cites) for one in draft.sentences] == [
        (3, "Kelp beds grow faster in cold water than in warm water.", ("2",)),
        (4, "Otters protect the beds from urchins.", ()),
    ]
    assert draft.references == {"2": "Doe, J. (2020). Kelp in Cold Water."}


def test_items_of_latex_own_list_are_references() -> None:
    text = "Kelp grows in cold water~\\cite{doe}.\n\\begin{thebibliography}{9}\n\\bibitem{doe} J. Doe. \\newblock {Kelp in Cold Water}.\n"
    draft = read_draft(text + "\\end{thebibliography}\n", ".tex")
    assert draft.references == {"doe": "J. Doe. Kelp in Cold Water."} and [one.cites for one in draft.sentences] == [("doe",)]


def test_windows_line_ends_do_not_move_lines() -> None:
    assert [one.line for one in read_draft(PLAIN.replace("\n", "\r\n"), ".txt").sentences] == [3, 4]


def test_a_citation_after_the_stop_belongs_to_the_sentence_before() -> None:
    (first, second) = read_draft("Kelp grows in cold water. [@doe] Otters keep urchins in check.", ".md").sentences
    assert (first.cites, second.cites) == (("doe",), ())


@pytest.mark.parametrize("piece", ["[@", "\\cite{", "$", "$$", "\\begin{table}", "[1-", "\\section{", "`", "*", "[[1]", "\\[", "%", "{"])
@pytest.mark.parametrize("suffix", [".md", ".tex", ".txt"])
def test_reading_takes_no_longer_than_its_length_allows(piece: str, suffix: str) -> None:
    began = time.process_time()
    read_draft(piece * 20_000, suffix)
    assert time.process_time() - began < 10
