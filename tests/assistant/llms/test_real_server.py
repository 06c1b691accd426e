"""An OpenAI-compatible server that others wrote, `transformers serve`, asked through `openai-like`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from llama_index.core.llms import ChatMessage

from assistant import Assistant, Done, Text
from assistant.llms import LLMOptions, RetryPolicy, ask, load_llm
from assistant.llms.diagnosis import diagnose
from index import Library
from tests.assistant import tiny_model
from tests.assistant.conftest import TIDECACHE
from tests.ui.ports import free_port

_START_SECONDS = 120


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name of a tiny model that the server holds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny_model, "HOLDS", 8192)
        folder = tiny_model.write_tiny_model(tmp_path_factory.mktemp("served") / "model")
    port = free_port()
    command = [Path(sys.executable).with_name("transformers"), "serve", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    quiet = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | quiet) as process:
        try:
            _wait(process, f"http://127.0.0.1:{port}/health")
            yield f"openai-like:{folder}@http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        assert process.poll() is None, "the server ended"
        try:
            if httpx.get(url, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.3)
    pytest.fail(f"the server did not start in {_START_SECONDS} seconds")


def test_it_streams(served: str) -> None:
    llm = load_llm(served, LLMOptions(answer_tokens=20))
    assert llm is not None
    found = list(ask(llm, served, [ChatMessage(role="user", content="What does TideCache cut?")], RetryPolicy(retries=0)))
    assert sum(bool(piece.delta) for piece in found) > 3
    usage = found[-1].usage
    assert usage.completion_tokens == 20 and usage.prompt_tokens > 10 and not usage.estimated


def test_a_question_reaches_it_and_its_babble_is_replaced_by_quotes(served: str, toy_library: Library) -> None:
    events = list(Assistant(toy_library.home, served, library=toy_library).stream(TIDECACHE))
    done = events[-1]
    assert isinstance(done, Done) and done.answer.mode == "extractive" and done.answer.citations
    assert done.answer.usage is not None and done.answer.usage.prompt_tokens > 300 and done.answer.usage.completion_tokens > 3
    assert any(isinstance(event, Text) for event in events) and any(served in warning for warning in done.answer.warnings)


def test_a_check_of_it_runs_through(served: str) -> None:
    steps = list(diagnose(served, LLMOptions(timeout_seconds=60.0)))
    assert [step.ok for step in steps] == [True] * len(steps) and steps[-1].name == "answer", steps


def test_a_model_that_it_does_not_have_is_told(served: str) -> None:
    steps = list(diagnose(served.replace("/model@", "/modell@"), LLMOptions(timeout_seconds=60.0)))
    assert not steps[-1].ok and steps[-1].told, steps
