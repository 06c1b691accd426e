"""The training questions that ship, bad ones, and whether their evidence stands in the real abstracts."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from eval import questions
from eval.questions import QuestionSetError
from eval.train import data
from index import Paper
from index.identity import Record
from index.merging import merge
from index.repair import repair
from index.sentences import sentence_spans
from index.sources import read_source
from tests.conftest import ROOT

Evidenced = data.TrainingQuestion | data.FollowUp
LONGEST_ANSWER = 12
"""Words: what an abstract's owner would hardly call a copy."""


FIELDS = {"biomedicine", "chemistry", "human-computer-interaction", "literature-and-learning"}
N_FIELDS = {"biomedicine": 770, "chemistry": 679, "human-computer-interaction": 680, "literature-and-learning": 686}
PAPERS = 1003
"""Training papers of all fields."""
FIELD_KINDS = {"paraphrase", "detail", "unstated", "premise", "named", "terse", "how", "why"}
NEAR = 0.6
"""The share of words in common from which two questions would be the same one in other words."""


def about_one() -> list[data.TrainingQuestion]:
    return [*data.load(), *data.load_more(), *data.load_hard()]


def everywhere() -> list[data.TrainingQuestion]:
    """The questions about one paper, of this field and of others."""
    return [*about_one(), *data.load_fields()]


def about_several() -> list[data.SeveralQuestion]:
    return [*data.load_several(), *data.load_several_fields()]


def of_fields() -> list[str]:
    """All that is asked about other fields."""
    return [one.question for one in (*data.load_fields(), *data.load_several_fields(), *data.load_absent_fields())]


def evidenced() -> list[Evidenced]:
    return [one for one in (*everywhere(), *data.load_followups()) if one.evidence]


def same(question: str) -> str:
    """What two questions share that differ in case, punctuation and white space."""
    return re.sub(r"[\W_]+", "", question.casefold())


def words(question: str) -> set[str]:
    return set(re.findall(r"\w+", question.casefold()))


def nearness(question: str, others: list[set[str]]) -> float:
    """The largest share of words in common with any other."""
    asked = words(question)
    return max(len(asked & other) / len(asked | other) for other in others)


@pytest.fixture(scope="module")
def papers(corpus: Path, fields: Path) -> dict[str, Paper]:
    """The papers of the real listings as a library would hold them, by title; without embedding."""
    told: dict[str, list[Record]] = {}
    for file in sorted((*corpus.glob("*.txt"), *fields.glob("*/papers.jsonl"), *fields.glob("*/library.txt"))):
        for entry in read_source(file).entries:
            told.setdefault(entry.paper_id, []).append(Record(file.name, False, entry))
    merged = [merge(paper_id, records) for paper_id, records in told.items()]
    return {paper.title: paper for paper in merged}


def test_the_second_training_set_is_whole() -> None:
    more = data.load_more()
    assert Counter(one.kind for one in more) == {
        "premise": 850,
        "paraphrase": 850,
        "unstated": 848,
        "detail": 425,
        "how": 214,
        "why": 208,
    }
    assert {one.title for one in more} == {one.title for one in data.load()}
    assert all(bool(one.evidence) != (one.kind == data.UNSTATED) for one in more)


def test_the_third_training_set_is_whole() -> None:
    hard = data.load_hard()
    assert Counter(one.kind for one in hard) == {"paraphrase": 1275, "unstated": 842, "detail": 425}
    assert {one.title for one in hard} == {one.title for one in data.load()}
    assert all(bool(one.evidence) != (one.kind == data.UNSTATED) for one in hard)


def test_the_other_sets_are_whole() -> None:
    assert len(data.load_absent()) == 300
    assert Counter(one.kind for one in data.load_several()) == {"multi": 45, "compare": 40, "overview": 25}
    assert all(len(one.gold_titles) == 2 for one in data.load_several() if one.kind == "compare")
    followed = Counter((one.title is None, bool(one.evidence)) for one in data.load_followups())
    assert followed == {(False, True): 474, (False, False): 411, (True, False): 25}


def test_the_sets_of_other_fields_are_whole() -> None:
    asked = data.load_fields()
    assert Counter(one.field for one in asked) == N_FIELDS
    assert {one.kind for one in asked} == FIELD_KINDS
    by_paper = Counter(one.title for one in asked)
    assert set(by_paper.values()) == {6, 7}
    of_kind = Counter((one.title, one.kind) for one in asked)
    assert all(of_kind[title, "paraphrase"] == of_kind[title, data.UNSTATED] == 2 for title in by_paper)
    assert all(of_kind[title, "detail"] == count - 5 for title, count in by_paper.items())
    assert all(bool(one.evidence) != (one.kind == data.UNSTATED) for one in asked)
    assert Counter(one.field for one in data.load_several_fields()) == dict.fromkeys(FIELDS, 15)
    assert all(len(one.gold_titles) == 2 for one in data.load_several_fields() if one.kind == "compare")
    assert Counter(one.field for one in data.load_absent_fields()) == dict.fromkeys(FIELDS, 60)


def test_what_names_no_field_is_of_our_own() -> None:
    assert {one.field for one in (*about_one(), *data.load_several())} == {data.OWN_FIELD}


def test_no_paper_is_asked_about_in_two_fields() -> None:
    of_paper: dict[str, set[str]] = {}
    for one in everywhere():
        of_paper.setdefault(one.title, set()).add(one.field)
    for several in about_several():
        for title in several.gold_titles:
            of_paper.setdefault(title, set()).add(several.field)
    assert [title for title, found in of_paper.items() if len(found) > 1] == []


def test_no_question_of_other_fields_is_near_one_of_the_fixed_set() -> None:
    fixed = [words(one.question) for one in questions.load(questions.FIXED)]
    assert [question for question in of_fields() if nearness(question, fixed) >= NEAR] == []


def test_nothing_that_measures_biomedicine_is_trained_on(fields: Path) -> None:
    trainable = {" ".join(line.split()) for line in (fields / "biomedicine" / "trainable.txt").read_text().splitlines()}
    titles = {one.title for one in data.load_fields() if one.field == "biomedicine"}
    titles |= {title for one in data.load_several_fields() if one.field == "biomedicine" for title in one.gold_titles}
    assert titles <= trainable
    measured = [words(one.question) for one in questions.load(fields / "biomedicine" / "questions.jsonl")]
    assert max(nearness(question, measured) for question in of_fields()) < NEAR


def test_no_id_is_given_twice() -> None:
    given = [one.id for one in (*everywhere(), *about_several(), *data.load_followups())]
    assert len(given) == len(set(given))


def test_no_question_is_asked_twice() -> None:
    asked = [one.question for one in (*about_one(), *data.load_several(), *data.load_followups())]
    counts = Counter(map(same, [*asked, *of_fields(), *data.load_absent(), *data.load_offtopic()]))
    assert [question for question, count in counts.items() if count > 1] == []


def test_no_question_of_the_fixed_set_is_trained_on() -> None:
    fixed = {same(one.question) for one in questions.load(questions.FIXED)}
    asked = [one.question for one in (*about_one(), *data.load_several(), *data.load_followups())]
    assert [question for question in (*asked, *data.load_absent(), *data.load_offtopic()) if same(question) in fixed] == []


def test_no_more_than_a_few_words_of_an_abstract_are_copied() -> None:
    answers = [one.answer for one in (*everywhere(), *data.load_followups())]
    assert max(len(answer.split()) for answer in answers) <= LONGEST_ANSWER


def test_the_hashes_are_of_all_training_papers_in_order() -> None:
    titles = list(data.load_hashes())
    assert titles == sorted(titles) and len(titles) == PAPERS
    gold = {title for one in about_several() for title in one.gold_titles}
    assert {one.title for one in (*everywhere(), *data.load_followups())} - {None} | gold == set(titles)


def field_rows() -> list[str]:
    """The card's table of other fields: a row a kind, a column a field."""
    counts = Counter((one.kind, one.field) for one in data.load_fields())
    kinds = sorted({kind for kind, _ in counts}, key=lambda kind: (-sum(counts[kind, field] for field in FIELDS), kind))
    return [f"| {kind} | {' | '.join(str(counts[kind, field]) for field in sorted(FIELDS))} |" for kind in kinds]


def test_the_data_card_counts_what_is_there() -> None:
    card = (ROOT / "eval" / "train" / "DATA.md").read_text(encoding="utf-8")
    for file, loaded in {
        "training.jsonl": data.load(),
        "training_more.jsonl": data.load_more(),
        "training_hard.jsonl": data.load_hard(),
        "followups.jsonl": data.load_followups(),
        "several.jsonl": data.load_several(),
        "absent.txt": data.load_absent(),
        "offtopic.txt": data.load_offtopic(),
        "training_fields.jsonl": data.load_fields(),
        "several_fields.jsonl": data.load_several_fields(),
        "absent_fields.jsonl": data.load_absent_fields(),
        "abstracts.sha256": data.load_hashes(),
    }.items():
        assert f"| `{file}` | {len(loaded)} |" in card, file
    for kind, count in Counter(one.kind for one in about_one()).items():
        assert re.search(rf"^\| {kind} \|.*\| {count} \|", card, re.MULTILINE), kind
    for row in field_rows():
        assert row in card, row


def test_every_data_file_is_packed() -> None:
    import tomllib

    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    for package in ("eval", "eval.held_out", "eval.report", "eval.train", "assistant.evidence", "index.embedding"):
        folder = ROOT / package.replace(".", "/")
        packed = {file for pattern in data[package] for file in folder.glob(pattern)}
        assert {file for file in folder.iterdir() if file.is_file() and file.suffix != ".py"} == packed


GOOD: dict[Any, dict[str, object]] = {
    data.load_more: {"id": "m1", "question": "q", "kind": "how", "title": "T", "evidence": [[0, 3]], "answer": ""},
    data.load_followups: {"id": "f1", "history": ["p"], "question": "q", "title": "T", "evidence": [[0, 3]], "answer": ""},
    data.load_several: {"id": "s1", "kind": "multi", "question": "q", "gold_titles": ["T", "U"]},
    data.load_fields: {"id": "c1", "field": "physics", "question": "q", "kind": "how", "title": "T", "evidence": [[0, 3]]},
    data.load_absent_fields: {"field": "physics", "question": "q"},
}


@pytest.mark.parametrize(
    ("load", "wrong", "message"),
    [
        (data.load_more, {"evidence": [[3, 0]]}, "are not spans"),
        (data.load_more, {"evidence": [[3]]}, "not a question"),
        (data.load_more, {"evidence": None}, "not a question"),
        (data.load_more, {"title": None}, "None is not text"),
        (data.load_more, {"answer": 3}, "3 is not text"),
        (data.load_followups, {"title": None}, "evidence needs a title"),
        (data.load_followups, {"history": []}, "no earlier turn"),
        (data.load_followups, {"history": "p"}, "is not a list"),
        (data.load_several, {"gold_titles": ["T", "T"]}, "fewer than two gold titles"),
        (data.load_several, {"gold_titles": "TU"}, "is not a list"),
        (data.load_several, {"field": 3}, "3 is not text"),
        (data.load_fields, {"field": None}, "None is not text"),
        (data.load_absent_fields, {"field": None}, "None is not text"),
    ],
)
def test_a_bad_line_is_told_with_file_and_line(
    tmp_path: Path, load: Callable[[Path], list[object]], wrong: dict[str, object], message: str
) -> None:
    path = tmp_path / "set.jsonl"
    good = GOOD[load]
    path.write_text(json.dumps(good) + "\n")
    assert len(load(path)) == 1
    path.write_text(f"{json.dumps(good)}\n\n{json.dumps(good | wrong)}\n")
    with pytest.raises(QuestionSetError, match=rf"{re.escape(str(path))}, line 3: .*{message}"):
        load(path)


@pytest.mark.parametrize("load", GOOD)
def test_what_a_line_lacks_is_told(tmp_path: Path, load: Callable[[Path], list[object]]) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(json.dumps({name: value for name, value in GOOD[load].items() if name != "question"}))
    with pytest.raises(QuestionSetError, match=r"line 1: 'question' is missing \(wanted: (id|field), "):
        load(path)


@pytest.mark.parametrize("load", [data.load_absent, data.load_offtopic])
def test_a_plain_question_asked_twice_is_told(tmp_path: Path, load: Callable[[Path], list[str]]) -> None:
    path = tmp_path / "set.txt"
    path.write_text("# remark\none?\n\ntwo?\n")
    assert load(path) == ["one?", "two?"]
    path.write_text("# remark\none?\n\none?\n")
    with pytest.raises(QuestionSetError, match=r"set\.txt, line 4: the question of line 2 again"):
        load(path)


@pytest.mark.parametrize("line", ["abc  T", f"{'0' * 64} T", f"{'0' * 64}  ", f"{'0' * 64}  One"])
def test_a_bad_hash_is_told_with_file_and_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "set.sha256"
    path.write_text(f"{'1' * 64}  One\n{line}\n")
    with pytest.raises(QuestionSetError, match=r"set\.sha256, line 2: not a SHA-256"):
        data.load_hashes(path)


def test_missing_and_other_abstracts_are_told(tmp_path: Path) -> None:
    path = tmp_path / "set.sha256"
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # of "abc"
    path.write_text("".join(f"{digest}  {title}\n" for title in ("One", "Three", "Two")))
    library = [Paper("1" * 12, "One", "One", "abc", "abc"), Paper("2" * 12, "Two", "Two", "xyz", "xyz")]
    known = data.known_abstracts(library, path)
    assert known == data.KnownAbstracts(same=("One",), other=("Two",), missing=("Three",))
    assert known.warning.startswith("of 3 training papers 1 are not in the library (first: Three) and 1 are there with another abstract")
    assert data.known_abstracts([*library[:1]] * 2, path).other == ()
    path.write_text(f"{digest}  One\n")
    assert data.known_abstracts(library, path).warning == ""


def test_the_real_listings_hold_the_training_abstracts(papers: dict[str, Paper]) -> None:
    known = data.known_abstracts(papers.values())
    assert len(known.same) == PAPERS and known.warning == ""
    changed = [replace(paper, raw_abstract=f"{paper.raw_abstract} ") for paper in papers.values()]
    assert len(data.known_abstracts(changed).other) == PAPERS


def test_every_evidence_span_is_a_sentence_of_its_abstract(papers: dict[str, Paper]) -> None:
    sentences = {title: tuple(sentence_spans(paper.abstract)) for title, paper in papers.items()}
    wrong = []
    for one in evidenced():
        assert one.title
        labels = data.labels(one, papers[one.title], sentences[one.title])
        if not labels or (one.id[0] != "t" and sum(labels) != len(one.evidence)):
            wrong.append(one.id)
    assert wrong == []


def test_every_answer_stands_in_its_evidence(papers: dict[str, Paper]) -> None:
    def shown(one: Evidenced) -> str:
        return " ".join(repair(papers[one.title or ""].raw_abstract[start:end]) for start, end in one.evidence)

    assert [one.id for one in evidenced() if one.id[0] != "t" and one.answer not in shown(one)] == []
