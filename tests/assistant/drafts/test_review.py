"""What a draft's sentences are found to be: against the papers they cite, against the library, and by the command."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from assistant import Assistant
from assistant.cli.app import app
from assistant.drafts.reading import read_draft
from assistant.drafts.review import Finding, References, bibliographies, review
from assistant.verification import Verdict
from index import Library
from index.citing import keys
from index.embedding import ToyEmbedder
from tests.conftest import LISTINGS

BIB = """@article{tide, title = {{TideCache}: Reusing Prompt Prefixes Across Chat Sessions}, year = 2024}
@article{gone, title = {A Paper That The Library Lacks}, year = 2020}
"""
RIGHT = "TideCache cuts time to first token by 2.4x on three traces"
WRONG = "TideCache cuts time to first token by 3.9x on three traces"
ABSENT = "Salmon return to the river in which they were born"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    """Read only, so that all share it."""
    library = Library(tmp_path_factory.mktemp("drafts"), ToyEmbedder())
    library.add([str(LISTINGS)])
    yield Assistant(library.home, library=library)
    library.close()


def findings(assistant: Assistant, text: str, folder: Path, suffix: str = ".md") -> list[Finding]:
    (folder / "refs.bib").write_text(BIB)
    draft = read_draft(text, suffix)
    return list(review(assistant, draft, References(assistant, draft, bibliographies(draft, folder))))


@pytest.mark.parametrize(
    ("suffix", "before", "cite"),
    [(".md", "---\nbibliography: refs.bib\n---\n\n", " [@tide]"), (".tex", "", "~\\cite{tide}"), (".md", "", " @TITLE")],
)
def test_a_cited_paper_supports_or_contradicts(small: Assistant, tmp_path: Path, suffix: str, before: str, cite: str) -> None:
    if cite == " @TITLE":
        title = "TideCache: Reusing Prompt Prefixes Across Chat Sessions"
        before, cite, after = "", " [1]", f".\n\n## References\n\n[1] Doe, J. {title}. In Proc. of Tides, 2024.\n"
    else:
        after = ".\n" + ("\n\\bibliography{refs}\n" if suffix == ".tex" else "")
    right, wrong = (findings(small, f"{before}{said}{cite}{after}", tmp_path, suffix)[0] for said in (RIGHT, WRONG))
    assert (right.verdict, wrong.verdict) == (Verdict.SUPPORTED, Verdict.CONTRADICTED)
    assert right.title == wrong.title == "TideCache: Reusing Prompt Prefixes Across Chat Sessions"
    assert wrong.quote and "2.4" in wrong.quote and right.unknown == ()


def test_without_a_citation_the_library_is_searched(small: Assistant, tmp_path: Path) -> None:
    right, wrong, absent = findings(small, f"{RIGHT}. {WRONG}. {ABSENT}.", tmp_path)
    assert (right.verdict, wrong.verdict, absent.verdict) == (Verdict.SUPPORTED, Verdict.CONTRADICTED, Verdict.NOT_FOUND)
    assert (absent.title, absent.quote) == (None, None) and right.quote and "2.4" in right.quote


def test_a_paper_that_does_not_say_it_is_named_without_a_quote(small: Assistant, tmp_path: Path) -> None:
    (one,) = findings(small, f"---\nbibliography: refs.bib\n---\n{ABSENT} [@tide].", tmp_path)
    assert (one.verdict, one.quote) == (Verdict.NOT_FOUND, None) and one.title and one.title.startswith("TideCache")


def test_a_key_that_the_library_lacks_is_told(small: Assistant, tmp_path: Path) -> None:
    (one,) = findings(small, f"---\nbibliography: refs.bib\n---\n{RIGHT} [@gone; @never].", tmp_path)
    assert one.unknown == ("gone", "never") and one.verdict is Verdict.SUPPORTED


def test_keys_of_our_own_bibtex_mean_their_papers(small: Assistant, tmp_path: Path) -> None:
    papers = small.library.papers()
    key = dict(zip([paper.display_title for paper in papers], keys(papers), strict=True))[
        "TideCache: Reusing Prompt Prefixes Across Chat Sessions"
    ]
    (one,) = findings(small, f"{WRONG} [@{key}].", tmp_path)
    assert one.verdict is Verdict.CONTRADICTED and one.unknown == ()


def test_the_command_fails_for_one_wrong_figure_and_says_where(listings_home: Path, tmp_path: Path) -> None:
    draft = tmp_path / "draft.md"

    def check(text: str, *options: str) -> tuple[int, list[dict[str, str]]]:
        draft.write_text(f"# Draft\n\n{text}.\n")
        result = CliRunner().invoke(app, ["check", str(draft), "--home", str(listings_home), "--json", *options])
        return result.exit_code, json.loads(result.stdout)

    status, (right,) = check(RIGHT)
    assert status == 0 and right["verdict"] == "supported" and right["line"] == 3 and right["title"].startswith("TideCache")
    status, (told,) = check(WRONG)
    assert status == 1 and told["verdict"] == "contradicted" and "2.4" in told["quote"]
    assert check(ABSENT)[0] == 0 and check(ABSENT, "--strict")[0] == 1


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [("a.docx", "x", "a draft is one of"), ("a.md", "# Only\n", "no sentence"), ("b.md", None, "cannot be read")],
)
def test_what_is_no_draft_is_told(tmp_path: Path, name: str, content: str | None, says: str) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    result = CliRunner().invoke(app, ["check", str(tmp_path / name)])
    assert result.exit_code == 1 and says in result.stderr.replace("\n", " ") and result.stdout == ""
