"""Another package's format and LLM provider, found by their entry points once it is installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.errors import LLMFailedError, UnknownLLMError
from assistant.llms import PROVIDERS, load_llm, providers, registry
from index.errors import SourceError
from index.sources import read_source
from index.sources import registry as sources

_CODE = """
from assistant.llms.base import Provider
from index.paper import Entry
from index.sources.base import Format, Parsed

def parse(text, source, hints=None):
    return Parsed(tuple(Entry(*line[2:].split("|"), number) for number, line in enumerate(text.splitlines(), 1)))

FORMAT = Format("Hash lines", (".hashes",), lambda text: text.startswith("##"), parse)

def build(rest, options):
    from assistant.llms.scripted import ScriptedLLM
    return ScriptedLLM(replies=["echoed"], model=rest)

PROVIDER = Provider("echo", "echo:ANYTHING", build, modules=())
WRONG = "neither"
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path, as pip would leave it: a module, and the metadata that names its entry points."""
    folder = tmp_path / "site"
    (folder / "tiny_plugin-1.0.dist-info").mkdir(parents=True)
    (folder / "tiny_plugin-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: tiny-plugin\nVersion: 1.0\n")
    (folder / "tiny_plugin.py").write_text(_CODE)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(registry, "_loaded", {})
    sources._plugins.cache_clear()
    yield folder / "tiny_plugin-1.0.dist-info" / "entry_points.txt"
    sources._plugins.cache_clear()


def test_a_format_of_another_package_reads_its_files(install: Path, tmp_path: Path) -> None:
    install.write_text("[paper_assistant.sources]\nhashes = tiny_plugin:FORMAT\n")
    file = tmp_path / "papers.hashes"
    file.write_text("##Tides of tokens|Waves of tokens are cached.\n##Quiet gates|Gates stay closed.\n")
    assert [entry.title for entry in read_source(file).entries] == ["Tides of tokens", "Quiet gates"]
    assert sources.formats()[-1] is sources.FORMATS[-1]


def test_a_provider_of_another_package_answers_by_its_name(install: Path) -> None:
    install.write_text("[paper_assistant.llms]\necho = tiny_plugin:PROVIDER\n")
    llm = load_llm("echo:anything")
    assert llm is not None and llm.complete("?").text == "echoed" and llm.metadata.model_name == "anything"
    assert providers()[0].keys() == {*PROVIDERS, "echo"} and providers()[1] == []
    with pytest.raises(UnknownLLMError, match="echo:ANYTHING"):
        load_llm("nothing:at-all")


def test_a_package_cannot_take_the_name_of_our_provider(install: Path) -> None:
    install.write_text("[paper_assistant.llms]\nollama = tiny_plugin:PROVIDER\n")
    assert registry.provider_of("ollama:x")[0] is PROVIDERS["ollama"]


@pytest.mark.parametrize("value", ["tiny_plugin:WRONG", "tiny_plugin:MISSING", "no_such_plugin:FORMAT"])
def test_what_cannot_be_loaded_is_told_with_its_name(install: Path, tmp_path: Path, value: str) -> None:
    install.write_text(f"[paper_assistant.sources]\nbroken = {value}\n[paper_assistant.llms]\nbroken = {value}\n")
    with pytest.raises(SourceError, match=r"broken.*uninstall"):
        sources.formats()
    with pytest.raises(LLMFailedError, match="uninstall"):
        load_llm("broken:x")
    with pytest.raises(UnknownLLMError, match="extractive"):
        load_llm("nothing:at-all")
    assert providers()[0] == PROVIDERS and "broken" in providers()[1][0]
    assert registry.provider_of("openai:x")[0] is PROVIDERS["openai"]
