"""Models that run in this process: tiny ones with random weights, which the tests write themselves."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from llama_index.core.llms import ChatMessage
from typer.testing import CliRunner

from assistant import Assistant, Done, Text
from assistant.cli.app import app
from assistant.errors import LLMFailedError, MissingExtraError, StoppedError, UnknownLLMError
from assistant.llms import LLMOptions, RetryPolicy, ask, load_llm
from assistant.llms.base import installed
from assistant.llms.client import Piece
from index import Library
from tests.assistant import tiny_gguf, tiny_model
from tests.assistant.conftest import TIDECACHE

MESSAGES = [ChatMessage(role="system", content="Be brief."), ChatMessage(role="user", content="What does TideCache cut?")]
COMPILED = pytest.mark.skipif(
    not installed(("llama_index.llms.llama_cpp", "llama_cpp")), reason='needs pip install -e ".[llamacpp]", which compiles llama.cpp'
)


@pytest.fixture(scope="module", params=["huggingface", pytest.param("llamacpp", marks=COMPILED)])
def spec(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a tiny model in each format."""
    folder = tmp_path_factory.mktemp("tiny")
    if request.param == "huggingface":
        return f"huggingface:{tiny_model.write_tiny_model(folder / 'model')}"
    return f"llamacpp:{tiny_gguf.write_tiny_gguf(folder / 'model.gguf')}"


def pieces(spec: str, tokens: int = 24, stop: threading.Event | None = None) -> Iterator[Piece]:
    llm = load_llm(spec, LLMOptions(answer_tokens=tokens))
    assert llm is not None
    return ask(llm, spec, MESSAGES, RetryPolicy(retries=0), stop)


def test_it_streams_token_by_token_with_its_counts(spec: str) -> None:
    found = list(pieces(spec))
    assert sum(bool(piece.delta) for piece in found) > 3
    assert found[-1].usage.completion_tokens == 24 and found[-1].usage.prompt_tokens > 20 and not found[-1].usage.estimated
    assert found[-1].cut


def test_it_says_the_same_each_time(spec: str) -> None:
    first, second = ("".join(piece.delta for piece in pieces(spec)) for _ in range(2))
    assert first == second != ""


def test_it_tells_what_its_context_holds(spec: str) -> None:
    llm = load_llm(spec, LLMOptions(context_tokens=100_000))
    assert llm is not None and llm.metadata.context_window == tiny_model.HOLDS == tiny_gguf.HOLDS


def test_it_is_loaded_once(spec: str) -> None:
    assert load_llm(spec) is load_llm(spec)


def test_stopping_it_ends_its_work(spec: str) -> None:
    stop = threading.Event()
    with pytest.raises(StoppedError), closing(pieces(spec, 400, stop)) as found:  # type: ignore[type-var]
        for number, _ in enumerate(found):
            if number == 2:
                stop.set()
    before = time.monotonic()
    assert "".join(piece.delta for piece in pieces(spec, 4)) != "" and time.monotonic() - before < 20


def test_a_prompt_beyond_its_context_is_told(spec: str) -> None:
    llm = load_llm(spec)
    assert llm is not None
    with pytest.raises(LLMFailedError, match=spec.partition(":")[0]):
        list(ask(llm, spec, [ChatMessage(role="user", content="word " * 600)], RetryPolicy(retries=0)))


def test_its_babble_is_replaced_by_quotes_with_one_line(spec: str, toy_library: Library) -> None:
    """Its 512 tokens hold no paper; with a shorter prompt it says nothing that a paper supports."""
    answer = Assistant(toy_library.home, spec, library=toy_library).answer(TIDECACHE)
    assert answer.answered and answer.mode == "extractive" and answer.citations
    assert any(spec in warning for warning in answer.warnings)


def test_a_check_of_it_runs_through(spec: str) -> None:
    result = CliRunner().invoke(app, ["llm", "check", spec])
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1].startswith("ok      answer")


@pytest.mark.parametrize("template", [None, tiny_model.TEMPLATE], ids=["plain", "chat"])
def test_a_model_with_and_without_a_chat_template_writes(tmp_path: Path, template: str | None) -> None:
    folder = tiny_model.write_tiny_model(tmp_path / "model", template)
    assert "".join(piece.delta for piece in pieces(f"huggingface:{folder}", 6))


@COMPILED
@pytest.mark.parametrize("template", [None, tiny_gguf.TEMPLATE], ids=["plain", "chat"])
def test_a_gguf_with_and_without_a_chat_template_writes(tmp_path: Path, template: str | None) -> None:
    file = tiny_gguf.write_tiny_gguf(tmp_path / "model.gguf", template)
    assert "".join(piece.delta for piece in pieces(f"llamacpp:{file}", 6))


@pytest.mark.long
def test_a_large_enough_model_is_asked_with_the_papers(toy_library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiny_model, "HOLDS", 8192)
    spec = f"huggingface:{tiny_model.write_tiny_model(tmp_path / 'model')}"
    bot = Assistant(toy_library.home, spec, library=toy_library)
    events = list(bot.stream(TIDECACHE))
    done = events[-1]
    assert isinstance(done, Done) and done.answer.mode == "extractive" and done.answer.usage is not None
    assert done.answer.usage.completion_tokens > 3
    texts = [event for event in events if isinstance(event, Text)]
    assert "".join(text.delta for text in texts) == done.answer.text, "its babble was shown"


@pytest.mark.parametrize("way", ["missing", "no model", "cut"])
def test_a_folder_that_is_no_model_is_told(tmp_path: Path, way: str) -> None:
    folder = tmp_path / "model"
    if way != "missing":
        folder.mkdir()
    if way == "cut":
        tiny_model.write_tiny_model(folder)
        (folder / "model.safetensors").write_bytes(b"cut")
    with pytest.raises(
        (UnknownLLMError, LLMFailedError), match={"missing": "no such folder", "no model": "no model", "cut": "cannot be loaded"}[way]
    ):
        load_llm(f"huggingface:{folder}")


@pytest.mark.parametrize(("made", "told"), [(None, "no such file"), (b"PK\x03\x04", "no GGUF file"), (b"", "no GGUF file")])
def test_a_file_that_is_no_gguf_is_told(tmp_path: Path, made: bytes | None, told: str) -> None:
    path = tmp_path / "model.gguf"
    if made is not None:
        path.write_bytes(made)
    with pytest.raises(UnknownLLMError, match=told):
        load_llm(f"llamacpp:{path}")


def test_the_nearest_file_is_suggested(tmp_path: Path) -> None:
    (tmp_path / "quokka-4b.gguf").write_bytes(b"GGUF")
    with pytest.raises(UnknownLLMError, match=r"did you mean quokka-4b\.gguf"):
        load_llm(f"llamacpp:{tmp_path / 'quoka-4b.gguf'}")


@COMPILED
def test_a_damaged_gguf_is_told(tmp_path: Path) -> None:
    path = tiny_gguf.write_tiny_gguf(tmp_path / "model.gguf")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(LLMFailedError, match="cannot be loaded"):
        load_llm(f"llamacpp:{path}")


def test_llama_cpp_not_installed_names_the_pip_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tiny_gguf.write_tiny_gguf(tmp_path / "model.gguf")
    monkeypatch.setitem(sys.modules, "llama_index.llms.llama_cpp", None)
    with pytest.raises(MissingExtraError) as raised:
        load_llm(f"llamacpp:{path}")
    assert 'pip install -e ".[llamacpp]"' in str(raised.value)
