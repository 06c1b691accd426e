"""What the tests of the assistant share: the toy library's assistant, and a misbehaving LLM server."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from llama_index.core.llms import LLM

from assistant import Assistant
from index import Library
from tests.assistant.openai_server import KEY, OpenAIServer, serving

TIDECACHE = "How does TideCache cut time to first token?"
"""A question that the toy library answers."""


@pytest.fixture
def toy(toy_library: Library) -> Assistant:
    """The extractive assistant over the small listings."""
    return Assistant(toy_library.home, library=toy_library)


@pytest.fixture
def toy_with(toy_library: Library) -> Callable[[str | LLM], Assistant]:
    """An assistant with an LLM over the small listings."""
    return lambda llm: Assistant(toy_library.home, llm, library=toy_library)


@pytest.fixture
def llm_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    """An OpenAI-like server on loopback; the key in the environment is the right one."""
    monkeypatch.setenv("OPENAI_LIKE_API_KEY", KEY)
    yield from serving()
