"""Models in GGUF files, run in this process by llama.cpp. No network."""

from __future__ import annotations

import ctypes
import logging
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant.errors import LLMFailedError, UnknownLLMError, UnknownModelError
from assistant.llms.base import LLMOptions, Provider, extra
from assistant.llms.local import beside, kept, plain_prompt

if TYPE_CHECKING:
    from llama_index.core.llms import LLM, ChatMessage, ChatResponse, ChatResponseGen

NAME = "llamacpp"
FORM = "llamacpp:PATH.gguf"
_MAGIC = b"GGUF"
_LONGEST_FACT = 64


def build(rest: str, options: LLMOptions) -> LLM:
    """The model of this file, loaded; the one asked for last is kept."""
    path = _file(rest)
    with extra(NAME):
        import llama_index.llms.llama_cpp  # noqa: F401
    return kept((NAME, path.resolve(), path.stat().st_mtime_ns, options), lambda: _load(path, options))


def _file(rest: str) -> Path:
    """The file that is meant. Raises `UnknownLLMError` where it is missing or no GGUF."""
    if not rest:
        raise UnknownLLMError(f"“{NAME}:” does not say which model: write {FORM}")
    path = Path(rest).expanduser()
    if path.is_dir() or not path.exists():
        within = path / "x" if path.is_dir() else path
        raise UnknownModelError(f"{NAME}:{rest}: no such file: {beside(within, _is_gguf) or 'write ' + FORM}")
    try:
        with path.open("rb") as file:
            start = file.read(len(_MAGIC))
    except OSError as error:
        raise UnknownModelError(f"{path} cannot be read ({error.strerror}): check its permissions") from error
    if start != _MAGIC:
        raise UnknownModelError(f"{path} is no GGUF file: take a model in that format, or convert it with llama.cpp")
    return path


def _is_gguf(path: Path) -> bool:
    return path.suffix.lower() == ".gguf"


def _load(path: Path, options: LLMOptions) -> LLM:
    from llama_index.core.llms import ChatMessage, ChatResponse, LLMMetadata, MessageRole
    from llama_index.llms.llama_cpp import LlamaCPP

    class InProcess(LlamaCPP):  # type: ignore[misc]  # it is not installed where types are checked
        """The file's own chat template if it has one; one answer at a time, as llama.cpp wants it."""

        @property
        def metadata(self) -> LLMMetadata:
            return LLMMetadata(context_window=self.context_window, num_output=self.max_new_tokens, is_chat_model=True, model_name=str(path))

        def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
            *_, whole = self.stream_chat(messages, **kwargs)
            return whole

        def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
            text, written, prompt = "", 0, None
            with _one_at_a_time:
                for chunk in self._chunks(messages):
                    choice = chunk["choices"][0]
                    delta = choice["delta"].get("content") or "" if "delta" in choice else choice["text"]
                    text, written, prompt = text + delta, written + bool(delta), prompt or self._model.n_tokens
                    yield ChatResponse(
                        message=ChatMessage(role=MessageRole.ASSISTANT, content=text),
                        delta=delta,
                        raw=chunk,
                        additional_kwargs={"prompt_tokens": prompt, "completion_tokens": written},
                    )

        def _chunks(self, messages: Sequence[ChatMessage]) -> Any:
            how: dict[str, Any] = {"stream": True, "temperature": 0.0, "max_tokens": self.max_new_tokens}
            if "tokenizer.chat_template" not in self._model.metadata:
                return self._model.create_completion(plain_prompt(messages), **how)
            turns = [{"role": message.role.value, "content": message.content} for message in messages]
            return self._model.create_chat_completion(turns, **how)

    try:
        return InProcess(
            model_path=str(path),
            temperature=0.0,
            max_new_tokens=options.answer_tokens,
            context_window=min(options.context_tokens, _trained(path) or options.context_tokens),
            verbose=False,
        )
    except Exception as error:  # of llama.cpp, which says little; told here, at the edge
        why = " ".join(str(error).split())[:200]
        raise LLMFailedError(f"{NAME}:{path} cannot be loaded ({why}): check the file, or take another model") from error


def _trained(path: Path) -> int | None:
    """The tokens that the model was trained to hold, where its file tells; read without the weights."""
    import llama_cpp

    logging.getLogger("llama-cpp-python").setLevel(logging.CRITICAL)  # it prints what it loads
    how = llama_cpp.llama_model_default_params()
    how.vocab_only = True
    model = llama_cpp.llama_model_load_from_file(str(path).encode(), how)
    if not model:
        raise ValueError("it is damaged, or of a kind that this llama.cpp does not know")
    try:
        kind = _fact(model, "general.architecture")
        return int(_fact(model, f"{kind}.context_length") or 0) or None
    finally:
        llama_cpp.llama_model_free(model)


def _fact(model: Any, name: str) -> str:
    """What a file says of its model under this name; empty where it says nothing."""
    import llama_cpp

    value = ctypes.create_string_buffer(_LONGEST_FACT)
    llama_cpp.llama_model_meta_val_str(model, name.encode(), value, _LONGEST_FACT)
    return value.value.decode("utf-8", "replace")


_one_at_a_time = threading.Lock()


PROVIDER = Provider(NAME, FORM, build, modules=("llama_index.llms.llama_cpp", "llama_cpp"))
