"""Rerankers: a real cross-encoder, tiny and made here, real LlamaIndex postprocessors, and the order of hits."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from llama_index.core.postprocessor import SimilarityPostprocessor
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle, TextNode
from pydantic import Field

from assistant.errors import AssistantError, RerankerError
from assistant.retrieval.cross_encoder import CrossEncoderReranker
from assistant.retrieval.fusion import PaperHit
from assistant.retrieval.postprocessor import PostprocessorReranker
from assistant.retrieval.reranking import load_reranker, rerank
from assistant.settings import Settings
from index import Paper
from tests.conftest import ROOT

QUESTION = "is the cache fast"
WORDS = "[PAD] [UNK] [CLS] [SEP] [MASK] . is the cache fast slow of a prefix tree radix draft token batch".split()


def paper(paper_id: str, title: str, abstract: str) -> Paper:
    return Paper(paper_id, title, title, abstract, abstract)


PAPERS = (
    paper("a", "The cache", "A radix tree of the prefix. " * 4),
    paper("b", "Fast draft", "The draft of a token is slow."),
    paper("c", "Batch", "A batch is fast. " * 60),
    paper("d", "Tree", "Slow."),
)


def hit(paper_id: str, score: float = 0.5) -> PaperHit:
    return PaperHit(paper_id, score, 0.4, 0.3, 0.2)


HITS = (hit("a", 0.9), hit("b", 0.8), hit("c", 0.7), hit("d", 0.6))


def ids(hits: Sequence[PaperHit]) -> list[str]:
    return [one.paper_id for one in hits]


class Crowd:
    """How many threads were in a function at most, each staying long enough to be met."""

    def __init__(self) -> None:
        self.largest = self._inside = 0

    def counted(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def entered(*given: Any, **named: Any) -> Any:
            self._inside += 1
            self.largest = max(self.largest, self._inside)
            threading.Event().wait(0.05)
            try:
                return function(*given, **named)
            finally:
                self._inside -= 1

        return entered


def at_once(count: int, ask: Callable[[], list[float]]) -> list[list[float]]:
    """What so many threads are told that ask together."""
    together = threading.Barrier(count)

    def wait_and_ask(_: int) -> list[float]:
        together.wait()
        return ask()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(wait_and_ask, range(count)))


# A cross-encoder, made here.


def make_model(folder: Path, labels: int = 1, bare: bool = False) -> Path:
    """A BERT of a few hundred weights with its tokenizer; `bare`: without a head that classifies."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizerFast

    folder.mkdir()
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(WORDS) + "\n")
    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
        initializer_range=0.5,
        num_labels=labels,
    )
    model: Any = BertModel(config) if bare else BertForSequenceClassification(config)
    model.save_pretrained(folder)
    BertTokenizerFast(vocab=str(vocabulary)).save_pretrained(folder)
    vocabulary.unlink()
    return folder


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good one. Read only."""
    return make_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def copied(model_folder: Path, tmp_path: Path) -> Path:
    """The same, to be broken."""
    return shutil.copytree(model_folder, tmp_path / "copied")


def predicted(folder: Path, question: str, papers: Sequence[Paper]) -> list[float]:
    """What sentence-transformers says without us."""
    from sentence_transformers import CrossEncoder

    scores = CrossEncoder(str(folder), device="cpu").predict([(question, f"{one.title}. {one.abstract}") for one in papers])
    return [float(score) for score in scores]


def test_a_cross_encoder_scores_as_sentence_transformers_does(model_folder: Path) -> None:
    scores = CrossEncoderReranker(str(model_folder)).scores(QUESTION, PAPERS)
    expected = predicted(model_folder, QUESTION, PAPERS)
    assert max(expected) - min(expected) > 0.01  # else any order would do
    assert scores == pytest.approx(expected, abs=1e-6)


def test_a_cross_encoder_reads_the_repaired_title_the_abstract_and_the_question(model_folder: Path) -> None:
    reranker = CrossEncoderReranker(model_folder)
    original = PAPERS[1]
    others = [replace(original, display_title="Slow tree"), replace(original, abstract="Fast."), replace(original, title="Slow tree")]
    score, by_title, by_abstract, by_raw_title = reranker.scores(QUESTION, [original, *others])
    assert abs(by_title - score) > 1e-4 and abs(by_abstract - score) > 1e-4
    assert by_raw_title == pytest.approx(score, abs=1e-6)
    assert abs(reranker.scores("a slow tree", [original])[0] - score) > 1e-4


def test_a_cross_encoders_order_is_that_of_its_scores(model_folder: Path) -> None:
    expected = dict(zip("abcd", predicted(model_folder, QUESTION, PAPERS), strict=True))
    order = ids(rerank(CrossEncoderReranker(model_folder), QUESTION, HITS, PAPERS))
    assert order == sorted("abcd", key=lambda one: -expected[one]) and order != list("abcd")


def test_a_cross_encoder_is_named_by_what_it_was_given(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(model_folder.parent))
    reranker = CrossEncoderReranker("~/tiny")
    assert reranker.name == "~/tiny"
    assert len(reranker.scores(QUESTION, PAPERS)) == 4


def test_a_cross_encoder_is_loaded_once_though_several_threads_ask_first(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sentence_transformers

    real, loaded, crowd = sentence_transformers.CrossEncoder, [], Crowd()

    def counted(*given: Any, **named: Any) -> Any:
        loaded.append((given, named))
        model = real(*given, **named)
        monkeypatch.setattr(model, "predict", crowd.counted(model.predict))
        return model

    monkeypatch.setattr(sentence_transformers, "CrossEncoder", counted)
    reranker = CrossEncoderReranker(model_folder)
    assert reranker.scores(QUESTION, []) == [] and loaded == []
    results = at_once(4, lambda: reranker.scores(QUESTION, PAPERS))
    assert loaded == [((str(model_folder),), {"device": "cpu", "trust_remote_code": False, "local_files_only": True})]
    assert len(results) == 4 and all(result == results[0] for result in results)
    assert crowd.largest == 1


def test_a_model_with_two_outputs_is_refused(tmp_path: Path) -> None:
    reranker = CrossEncoderReranker(make_model(tmp_path / "two", labels=2))
    with pytest.raises(RerankerError, match=r"two has 2 outputs, not one score: take a cross-encoder made for ranking"):
        reranker.scores(QUESTION, PAPERS)


def test_a_model_without_a_head_is_refused_for_its_scores_would_be_random(tmp_path: Path) -> None:
    reranker = CrossEncoderReranker(make_model(tmp_path / "bare", bare=True))
    with pytest.raises(RerankerError, match="is no cross-encoder but a BertModel"):
        reranker.scores(QUESTION, PAPERS)


def test_an_empty_folder_cannot_be_loaded(tmp_path: Path) -> None:
    reranker = CrossEncoderReranker(tmp_path)
    with pytest.raises(RerankerError, match="cannot be loaded") as raised:
        reranker.scores(QUESTION, PAPERS)
    assert str(tmp_path) in str(raised.value) and raised.value.__cause__ is not None


@pytest.mark.parametrize("broken", ["config.json", "model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("how", ["cut off", "missing"])
def test_a_broken_folder_says_what_to_do(copied: Path, broken: str, how: str) -> None:
    file = copied / broken
    if how == "missing":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:100])
    reranker = CrossEncoderReranker(copied)
    with pytest.raises(RerankerError, match="download the model anew") as raised:
        reranker.scores(QUESTION, PAPERS)
    assert str(raised.value).startswith(f"the reranker {copied} ") and "\n" not in str(raised.value)


def test_a_folder_that_was_mended_is_loaded_at_the_next_question(copied: Path, model_folder: Path) -> None:
    (copied / "config.json").unlink()
    reranker = CrossEncoderReranker(copied)
    with pytest.raises(RerankerError):
        reranker.scores(QUESTION, PAPERS)
    shutil.copy(model_folder / "config.json", copied)
    assert reranker.scores(QUESTION, PAPERS) == pytest.approx(predicted(model_folder, QUESTION, PAPERS), abs=1e-6)


def test_code_in_a_models_folder_is_not_run(copied: Path, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    (copied / "own.py").write_text(f"open({str(ran)!r}, 'w')\n")
    config = json.loads((copied / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Config", "AutoModelForSequenceClassification": "own.Model"}}
    (copied / "config.json").write_text(json.dumps(config))
    with pytest.raises(RerankerError, match="cannot be loaded"):
        CrossEncoderReranker(copied).scores(QUESTION, PAPERS)
    assert not ran.exists()


@pytest.mark.parametrize("path", ["/no/such/model", "./model", "../model", "~/model", "models/of/mine", "C:\\models\\mine", "a b", "a/"])
def test_a_path_where_nothing_is_is_not_sought_on_the_hub(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(RerankerError, match="there is no such folder") as raised:
        load_reranker(path)
    assert path in str(raised.value)


def test_a_file_is_no_folder(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(model_folder)
    for file in (str(model_folder / "config.json"), "config.json"):  # the second could be a name on the hub
        with pytest.raises(RerankerError, match="there is no such folder"):
            load_reranker(file)


@pytest.mark.parametrize("name", ["nobody/no-such.reranker-v1", "no-such-reranker"])
def test_a_hub_name_is_sought_when_first_used(name: str) -> None:
    reranker = load_reranker(name)
    assert reranker is not None and reranker.name == name
    with pytest.raises(RerankerError, match="check its name and the network"):
        reranker.scores(QUESTION, PAPERS)


# LlamaIndex postprocessors.


class ByWords(BaseNodePostprocessor):
    """Keeps the nodes that share a word with the question, most words first, as nodes of the same ids."""

    def _postprocess_nodes(self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None) -> list[NodeWithScore]:
        assert query_bundle is not None
        asked = set(query_bundle.query_str.split())
        shared = {node.node_id: len(asked & set(node.get_content().lower().replace(".", "").split())) for node in nodes}
        kept = [NodeWithScore(node=node.node, score=shared[node.node_id]) for node in nodes if shared[node.node_id]]
        return sorted(kept, key=lambda node: -(node.score or 0))


class Returning(BaseNodePostprocessor):
    """Returns nodes of these ids whatever it is given; keeps what it was given."""

    returned: list[str]
    given: list[NodeWithScore] = Field(default_factory=list)

    def _postprocess_nodes(self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None) -> list[NodeWithScore]:
        self.given = nodes
        return [NodeWithScore(node=TextNode(id_=one, text="")) for one in self.returned]


def test_a_postprocessor_reorders_and_what_it_drops_comes_last() -> None:
    papers = [paper("p", "Trees", "none"), paper("q", "Cache", "is slow"), paper("r", "Drafts", "none"), paper("s", "Cache", "is fast")]
    reranker = PostprocessorReranker(ByWords())
    assert reranker.scores("cache is fast", papers) == [0.0, 1.0, 0.0, 2.0]
    assert ids(rerank(reranker, "cache is fast", [hit(one) for one in "pqrst"], papers)) == ["s", "q", "p", "r", "t"]


@pytest.mark.parametrize(
    ("returned", "order"),
    [
        ("dcba", "dcba"),
        ("cb", "cbad"),
        ("", "abcd"),
        ("ccbc", "cbad"),  # a node twice counts where it stands first
        ("xdya", "dabc"),  # nodes that it was not given do not count
    ],
)
def test_the_order_of_a_postprocessor_is_kept(returned: str, order: str) -> None:
    reranker = PostprocessorReranker(Returning(returned=list(returned)))
    assert "".join(ids(rerank(reranker, QUESTION, HITS, PAPERS))) == order


def test_nodes_carry_id_title_and_text_without_a_score() -> None:
    postprocessor = Returning(returned=[])
    PostprocessorReranker(postprocessor).scores(QUESTION, PAPERS[:1])
    [node] = postprocessor.given
    assert (node.node_id, node.score, node.metadata) == ("a", None, {"title": "The cache"})
    assert node.node.get_content(MetadataMode.EMBED) == node.text == f"The cache. {PAPERS[0].abstract}"


def test_llama_indexs_own_similarity_postprocessor_leaves_papers_without_a_score_as_they_were() -> None:
    reranker = load_reranker(SimilarityPostprocessor(similarity_cutoff=0.5))
    assert isinstance(reranker, PostprocessorReranker) and reranker.name == "SimilarityPostprocessor"
    assert reranker.scores(QUESTION, PAPERS) == [0.0, 0.0, 0.0, 0.0]
    assert rerank(reranker, QUESTION, HITS, PAPERS) == list(HITS)


def test_llama_indexs_own_cross_encoder_orders_as_ours_does(model_folder: Path) -> None:
    from llama_index.core.postprocessor import SentenceTransformerRerank

    theirs = SentenceTransformerRerank(model=str(model_folder), top_n=4, device="cpu")
    theirs._model.max_seq_length = 64  # it sets 512, more than the tiny model can read
    order = ids(rerank(PostprocessorReranker(theirs), QUESTION, HITS, PAPERS))
    assert order == ids(rerank(CrossEncoderReranker(model_folder), QUESTION, HITS, PAPERS))


def test_a_postprocessor_that_makes_new_nodes_is_refused() -> None:
    with pytest.raises(RerankerError, match="Returning returns nodes of its own making"):
        PostprocessorReranker(Returning(returned=["x", "y"])).scores(QUESTION, PAPERS)


def test_a_postprocessor_is_asked_by_one_thread_at_a_time() -> None:
    crowd = Crowd()

    class Met(ByWords):
        def _postprocess_nodes(self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None) -> list[NodeWithScore]:
            kept: list[NodeWithScore] = crowd.counted(super()._postprocess_nodes)(nodes, query_bundle)
            return kept

    reranker = PostprocessorReranker(Met())
    results = at_once(3, lambda: reranker.scores(QUESTION, PAPERS))
    assert crowd.largest == 1
    assert results == [PostprocessorReranker(ByWords()).scores(QUESTION, PAPERS)] * 3


def test_a_postprocessor_is_not_asked_about_no_papers() -> None:
    assert PostprocessorReranker(Returning(returned=["x"])).scores(QUESTION, []) == []


# From what is given to a reranker.


class Fixed:
    """A reranker of one's own: the scores that it was told, and what it was asked."""

    name = "fixed"

    def __init__(self, scores: Sequence[float]) -> None:
        self._scores = list(scores)
        self.asked: list[tuple[str, list[str]]] = []

    def scores(self, question: str, papers: Sequence[Paper]) -> list[float]:
        self.asked.append((question, [one.paper_id for one in papers]))
        return self._scores


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_nothing_given_is_no_reranker(nothing: str | None) -> None:
    assert load_reranker(nothing) is None


def test_a_text_or_path_is_a_cross_encoder(model_folder: Path) -> None:
    for spec in (str(model_folder), model_folder):
        reranker = load_reranker(spec)
        assert isinstance(reranker, CrossEncoderReranker) and reranker.name == str(model_folder)


def test_a_reranker_of_ones_own_is_itself() -> None:
    own = Fixed([1.0])
    assert load_reranker(own) is own


def test_what_is_both_is_taken_as_a_postprocessor() -> None:
    class Both(Returning):
        def scores(self, question: str, papers: Sequence[Paper]) -> list[float]:
            return []

    assert isinstance(load_reranker(Both(returned=[])), PostprocessorReranker)


@pytest.mark.parametrize(
    ("spec", "told"),
    [(3, "an object of class int"), (Fixed, "the class Fixed"), (ByWords, "the class ByWords"), ({"scores": 1}, "an object of class dict")],
)
def test_anything_else_is_refused(spec: object, told: str) -> None:
    with pytest.raises(RerankerError, match=f"{told} is no reranker: give"):
        load_reranker(spec)


# The order of hits.


def naive(scores: dict[str, float], hits: Sequence[PaperHit]) -> list[PaperHit]:
    """Again and again the best that is left; the first of equals; then those without a score."""
    left, ordered = [one for one in hits if one.paper_id in scores], []
    while left:
        best = left[0]
        for one in left:
            if scores[one.paper_id] > scores[best.paper_id]:
                best = one
        left.remove(best)
        ordered.append(best)
    return ordered + [one for one in hits if one.paper_id not in scores]


@pytest.mark.parametrize("seed", range(20))
def test_hits_are_ordered_as_a_naive_version_orders_them(seed: int) -> None:
    chance = random.Random(seed)
    hits = [hit(str(number), chance.random()) for number in range(chance.randint(1, 30))]
    given = chance.sample(hits, chance.randint(0, len(hits)))
    scores = {one.paper_id: float(chance.randint(-3, 3)) for one in hits if one in given}  # few values, so many are equal
    papers = [paper(one.paper_id, "", "") for one in given]
    assert rerank(Fixed(list(scores.values())), QUESTION, hits, papers) == naive(scores, hits)


def test_the_reranker_sees_the_papers_in_the_order_of_the_hits() -> None:
    reranker = Fixed([1.0, 2.0, 3.0])
    order = rerank(reranker, QUESTION, HITS, [PAPERS[2], PAPERS[0], PAPERS[1]])
    assert reranker.asked == [(QUESTION, ["a", "b", "c"])]
    assert order == [HITS[2], HITS[1], HITS[0], HITS[3]]  # the same hits, fused scores and all


def test_without_papers_nothing_is_asked() -> None:
    reranker = Fixed([])
    assert rerank(reranker, QUESTION, HITS, []) == list(HITS)
    assert rerank(reranker, QUESTION, [], PAPERS) == []
    assert reranker.asked == []


@pytest.mark.parametrize("scores", [[1.0], [1.0, 2.0, 3.0, 4.0, 5.0], [1.0, float("nan"), 2.0, 3.0]])
def test_scores_that_do_not_fit_are_refused(scores: list[float]) -> None:
    with pytest.raises(RerankerError, match="fixed did not give one number for each of 4 papers"):
        rerank(Fixed(scores), QUESTION, HITS, PAPERS)


def test_whatever_a_reranker_raises_is_told_in_one_line() -> None:
    class Failing(Fixed):
        def scores(self, question: str, papers: Sequence[Paper]) -> list[float]:
            raise ConnectionError("the server\nis away")

    with pytest.raises(RerankerError, match=r"^the reranker fixed failed \(the server\): mend it, or ask without a reranker$") as raised:
        rerank(Failing([]), QUESTION, HITS, PAPERS)
    assert isinstance(raised.value.__cause__, ConnectionError)


def test_a_rerankers_own_error_passes_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(RerankerError) as raised:
        rerank(CrossEncoderReranker(tmp_path), QUESTION, HITS, PAPERS)
    assert str(raised.value).startswith(f"the reranker {tmp_path} cannot be loaded")
    assert issubclass(RerankerError, AssistantError)


# Around it.


def test_by_default_there_is_no_reranker() -> None:
    assert load_reranker(Settings().reranker) is None
    assert Settings().papers_reranked == 20


@pytest.mark.parametrize("count", [0, 101])
def test_a_reranker_sees_1_to_100_papers(count: int) -> None:
    with pytest.raises(ValueError, match="papers_reranked"):
        Settings(papers_reranked=count)


def test_naming_a_reranker_loads_nothing_heavy() -> None:
    code = "import sys; from assistant.retrieval.reranking import load_reranker; load_reranker('some/name'); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    assert "assistant.retrieval.cross_encoder" in loaded
    assert not {"torch", "transformers", "sentence_transformers", "llama_index"} & set(loaded)
