"""Models in transformers' format, run in this process: a local folder, or a name on the Hugging Face hub.

A folder is read without any network. No code of a model's repository is run.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Sequence
from contextlib import closing
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any

from assistant.errors import LLMFailedError, UnknownLLMError, UnknownModelError
from assistant.llms.base import LLMOptions, Provider, extra
from assistant.llms.local import beside, kept, plain_prompt

if TYPE_CHECKING:
    from llama_index.core.llms import LLM, ChatMessage, ChatResponse, ChatResponseGen

NAME = "huggingface"
FORM = "huggingface:PATH-or-hub-name"


def build(rest: str, options: LLMOptions) -> LLM:
    """The model of this folder or name, loaded; the one asked for last is kept."""
    folder = _folder(rest)
    with extra(NAME):
        import accelerate  # noqa: F401 - transformers needs it to place a model
        import llama_index.llms.huggingface  # noqa: F401
    changed = (folder / "config.json").stat().st_mtime_ns if folder else 0
    return kept((NAME, rest, changed, options), lambda: _load(rest, folder, options))


def _folder(rest: str) -> Path | None:
    """The folder that is meant; None for a name on the hub. Raises `UnknownLLMError` where it is missing or no model's."""
    if not rest:
        raise UnknownLLMError(f"“{NAME}:” does not say which model: write {FORM}")
    path = Path(rest).expanduser()
    if (path / "config.json").is_file():
        return path
    if path.is_dir():
        raise UnknownModelError(f"{path} holds no model (no config.json): give the folder that `save_pretrained` wrote")
    if path.is_file() or path.is_absolute() or rest[0] in ".~" or "\\" in rest or rest.count("/") > 1:
        raise UnknownModelError(f"{NAME}:{rest}: no such folder: {beside(path, _is_model) or 'write ' + FORM}")
    return None


def _is_model(path: Path) -> bool:
    return (path / "config.json").is_file()


def _load(rest: str, folder: Path | None, options: LLMOptions) -> LLM:
    import transformers

    where = str(folder or rest)
    safe: dict[str, Any] = {"trust_remote_code": False, "local_files_only": folder is not None}
    try:
        tokenizer = transformers.AutoTokenizer.from_pretrained(where, **safe)
        model = transformers.AutoModelForCausalLM.from_pretrained(where, device_map="auto", dtype="auto", **safe)
    except Exception as error:  # the hub, files of any kind and hundreds of models raise what they like; told here, at the edge
        why = " ".join(str(error).split())[:200]
        if folder is None and isinstance(error, OSError):
            mend = (beside(Path(rest), _is_model) if Path(rest).parent.is_dir() else "") or "check its name"
            raise UnknownModelError(f"{NAME}:{rest} is no folder here, and the hub gave no such model ({why}): {mend}") from error
        raise LLMFailedError(f"{NAME}:{rest} cannot be loaded ({why}): check its files, or take another model") from error
    return _streaming(model, tokenizer, where, options)


def _streaming(model: Any, tokenizer: Any, where: str, options: LLMOptions) -> LLM:
    """LlamaIndex's LLM around a loaded model, which streams so that it can be stopped, fails aloud, and counts."""
    from llama_index.core.llms import ChatMessage, ChatResponse, MessageRole
    from llama_index.llms.huggingface import HuggingFaceLLM

    class InProcess(HuggingFaceLLM):
        """Its own chat template if it has one, no sampling, no more tokens than its context holds."""

        def chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponse:
            *_, whole = self.stream_chat(messages, **kwargs)
            return whole

        def stream_chat(self, messages: Sequence[ChatMessage], **kwargs: Any) -> ChatResponseGen:
            return self._responses(encoded(tokenizer, messages))

        def _responses(self, inputs: Any) -> ChatResponseGen:
            prompt = int(inputs["input_ids"].shape[1])
            room = min(self.max_new_tokens, self.context_window - prompt)
            if room <= 0:
                raise ValueError(f"the prompt has {prompt} tokens, the model's context length is {self.context_window}")
            run, text = _Run(model, tokenizer, inputs, room, options.timeout_seconds), ""
            with closing(run.pieces()) as pieces:
                for delta in pieces:
                    text += delta
                    yield ChatResponse(
                        message=ChatMessage(role=MessageRole.ASSISTANT, content=text),
                        delta=delta,
                        raw={"choices": [{"finish_reason": run.finish}]},
                        additional_kwargs={"prompt_tokens": prompt, "completion_tokens": run.written},
                    )

    return InProcess(
        model=model,
        tokenizer=tokenizer,
        model_name=where,
        tokenizer_name=where,
        # The least of this and what the model's configuration tells.
        context_window=int(getattr(model.config, "max_position_embeddings", None) or options.context_tokens),
        max_new_tokens=options.answer_tokens,
        is_chat_model=True,
    )


def encoded(tokenizer: Any, messages: Sequence[ChatMessage]) -> Any:
    """The prompt's tokens, by the model's own chat template, else as plain text."""
    if not getattr(tokenizer, "chat_template", None):
        return tokenizer(plain_prompt(messages), return_tensors="pt")
    turns = [{"role": message.role.value, "content": message.content} for message in messages]
    how: dict[str, Any] = {"add_generation_prompt": True, "return_tensors": "pt", "return_dict": True}
    from jinja2.exceptions import TemplateError

    try:
        return tokenizer.apply_chat_template(turns, **how)
    except TemplateError:  # of models that take no system turn
        whole = "\n\n".join(str(message.content) for message in messages)
        return tokenizer.apply_chat_template([{"role": "user", "content": whole}], **how)


class _Run:
    """One answer, written in a thread."""

    def __init__(self, model: Any, tokenizer: Any, inputs: Any, room: int, silence_seconds: float) -> None:
        from transformers import StoppingCriteriaList, TextIteratorStreamer

        self._model = model
        self._inputs = inputs.to(model.device)
        self._room = room
        self._streamer = TextIteratorStreamer(tokenizer, skip_prompt=True, timeout=silence_seconds, skip_special_tokens=True)
        self._criteria = StoppingCriteriaList([self._after_each])
        self._unwanted = threading.Event()
        self._error: Exception | None = None
        self.written = 0
        """Tokens so far."""
        self.finish: str | None = None
        """`stop` or `length`, once it is done."""

    def pieces(self) -> Generator[str, None, None]:
        """The text as it comes. Closing this ends the work with the next token."""
        writing = threading.Thread(target=self._write, daemon=True, name="huggingface")
        writing.start()
        try:
            yield from self._streamer
            writing.join()
        except Empty as error:
            raise TimeoutError("the model wrote nothing for too long") from error
        finally:
            self._unwanted.set()
        if self._error is not None:
            raise self._error
        yield ""  # with which the end is told

    def _write(self) -> None:
        try:
            self._model.generate(
                **self._inputs,
                streamer=self._streamer,
                stopping_criteria=self._criteria,
                max_new_tokens=self._room,
                do_sample=False,
                temperature=None,
                top_p=None,
                top_k=None,
            )
            self.finish = "length" if self.written >= self._room else "stop"
        except Exception as error:  # noqa: BLE001 - handed on to whoever iterates
            self._error = error
            self._streamer.end()  # type: ignore[no-untyped-call]

    def _after_each(self, tokens: Any, scores: Any, **kwargs: Any) -> Any:
        """Asked by transformers after each token: whether to stop."""
        import torch

        self.written += 1
        return torch.full((tokens.shape[0],), self._unwanted.is_set(), dtype=torch.bool, device=tokens.device)


PROVIDER = Provider(NAME, FORM, build, modules=("llama_index.llms.huggingface", "accelerate"))
