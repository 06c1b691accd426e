"""Answers by an LLM, streamed, then checked against the sources."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assistant.answer import Reset, Usage
from assistant.errors import LLMFailedError
from assistant.evidence.sources import Source
from assistant.generation.base import Draft, Request
from assistant.generation.condense import asking, condense
from assistant.generation.prompt import Prompt, build_prompt
from assistant.generation.screen import Screen, declines, repeats
from assistant.llms.client import Piece, RetryPolicy, ask, counter
from assistant.llms.failures import in_words
from assistant.verification.checker import Verifier, shipped
from assistant.verification.citations import TermsIn, begins_answer, check
from assistant.verification.dialogue_acts import DialogueActs
from index.sentences import sentence_spans

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

_LEAST_ANSWER_TOKENS = 400
_MOST_CHARACTERS = 6000
"""Of an answer: a model that does not stop is stopped."""
_MOST_THOUGHTS = 60_000
"""Characters of an answer and the thoughts before it."""
_STEP = 64
"""Characters after which a stream is looked at again, wherever its pieces end."""
_SMALLER = 3
"""How often a prompt that the server finds too long is tried with half the context."""
_MISSED = 5
"""Of the nearest papers, so many hold the one that answers nearly always: fewer in a prompt are told."""
_FENCED = re.compile(r"\s*```\w*\n(.*?)\n?```\s*", re.DOTALL)
_BOXED = re.compile(r"\$*\\boxed\{(?:\\text\{([^{}]*)\}|([^{}]*))\}\$*")
"""As models trained on exercises write their result."""
_TOOL_FIELDS = ("arguments", "parameters", "tool_calls", "tool", "function", "tool_name", "action_input")
_THOUGHT_FIELDS = ("thought", "thoughts", "reasoning", "thinking", "analysis", "type", "role", "status")


@dataclass(frozen=True)
class Writer:
    """An LLM that writes answers."""

    llm: LLM
    name: str
    policy: RetryPolicy


@dataclass(frozen=True)
class Judge:
    """What a text is judged by, beside its sources."""

    terms_in: TermsIn
    act_of: DialogueActs
    verifier: Verifier | None = None
    """What checks its sentences; None: the checker that the package carries."""


def generate(
    writer: Writer, request: Request, judge: Judge, stop: threading.Event | None = None
) -> Generator[str | Reset | Draft, None, None]:
    """Pieces of provisional text, then the checked draft. Setting `stop` ends it from any thread.

    Raises `LLMFailedError` with a plain line on what happened and what was used, whatever the
    LLM's client raised; `StoppedError` where it was stopped.
    """
    if judge.verifier is None:
        shipped().warm()
    judge.act_of.warm()
    stop = stop or threading.Event()
    usage, warnings = Usage(), []
    context, answer = _room(writer)
    if request.earlier:
        condensed = condense(writer.llm, writer.name, request, judge.terms_in, writer.policy, stop)
        usage = condensed.usage
        if condensed.text is not None:
            if condensed.text.casefold() != request.question.text.casefold():
                warnings.append(f"read as “{condensed.text}”")
            request = asking(request, condensed.text)
    for smaller in range(_SMALLER + 1):
        prompt = build_prompt(request, context, min(answer, context // 2), counter(writer.llm))
        if not prompt.used:
            raise LLMFailedError(
                f"{writer.name} has too small a context for even one paper: raise llm_context in settings.toml, or take another LLM", usage
            )
        try:
            draft = yield from _written(writer, request, prompt, judge, stop)
        except LLMFailedError as error:
            usage += error.usage or Usage()
            if error.too_long and smaller < _SMALLER:
                context //= 2
                continue
            error.usage = usage
            raise
        yield replace(draft, usage=usage + (draft.usage or Usage()), warnings=(*warnings, *_fit(prompt, request), *draft.warnings))
        return


def _written(writer: Writer, request: Request, prompt: Prompt, judge: Judge, stop: threading.Event) -> Generator[str | Reset, None, Draft]:
    """Streams the answer to one prompt, and returns it checked."""
    from llama_index.core.llms import ChatMessage

    messages = [ChatMessage(role="system", content=prompt.instructions), ChatMessage(role="user", content=prompt.rest)]
    sources = prompt.sources
    screen, last = Screen(lambda sentence: begins_answer(sentence, sources, judge.act_of, judge.verifier)), Piece("", Usage())
    with closing(ask(writer.llm, writer.name, messages, writer.policy, stop)) as pieces:
        for piece in pieces:
            last = piece
            for part in _steps(screen, piece):
                yield from screen.push(part)
                if trouble := _trouble(screen):
                    raise LLMFailedError(f"{writer.name} {trouble}: take another LLM", piece.usage)
    if repeats(screen.tail):
        raise LLMFailedError(f"{writer.name} kept repeating itself: take another LLM", last.usage)
    try:
        draft = _draft(_said(screen, last), writer.name, sources, judge)
    except LLMFailedError as error:
        raise LLMFailedError(f"{writer.name} {error}", last.usage) from None
    if last.cut:
        draft = replace(draft, warnings=(*draft.warnings, f"{writer.name} was cut off at its length limit: the answer is not complete"))
    if draft.answered and not screen.shows:
        yield draft.text
    return replace(draft, usage=last.usage)


def _steps(screen: Screen, piece: Piece) -> Iterator[str]:
    """The piece, cut where the stream is looked at: at the same places however it comes."""
    rest = piece.delta
    while rest:
        size = _STEP - screen.length % _STEP
        yield rest[:size]
        rest = rest[size:]


def _trouble(screen: Screen) -> str | None:
    """Why the stream is not worth waiting for any longer, if it is not."""
    if screen.length % _STEP:
        return None
    if len(screen.said) > _MOST_CHARACTERS or screen.length > _MOST_THOUGHTS:
        return f"did not stop after {screen.length:,} characters"
    return "kept repeating itself" if repeats(screen.tail) else None


def _said(screen: Screen, last: Piece) -> str:
    """The whole text, out of what it was wrapped in. Raises `LLMFailedError` where there is none."""
    text, calls_tool = _unwrapped(screen.finish())
    calls_tool = calls_tool or screen.tool or last.tool
    whole = _whole_sentences(text) if last.cut else text
    if whole:
        return whole
    if last.cut:
        what = "spent its whole length limit on thoughts" if not text else "was cut off at its length limit within its first sentence"
        raise LLMFailedError(f"{what}: turn its thinking down, raise llm_context in settings.toml, or take another LLM")
    if calls_tool:
        raise LLMFailedError(
            "called a tool instead of answering, though it was given none: turn tools off at its server, or take another LLM"
        )
    what = "only thought and gave no answer" if screen.thought or last.thought else "gave an empty answer"
    raise LLMFailedError(f"{what}: check the model and its address, which usually ends in /v1")


def _unwrapped(text: str) -> tuple[str, bool]:
    """(the text without a fence or JSON around all of it, whether it is the call of a tool)."""
    fenced = _FENCED.fullmatch(text)
    inner = fenced[1].strip() if fenced else text
    inner = _BOXED.sub(lambda found: found[1] or found[2] or "", inner)
    if not inner.startswith(("{", "[{")):
        return inner, False
    try:
        document = json.loads(inner)
    except ValueError:
        return inner, False
    document = document[0] if isinstance(document, list) and document else document
    if not isinstance(document, dict):
        return inner, False
    if any(name in document for name in _TOOL_FIELDS):
        return "", True
    texts = [value for name, value in document.items() if isinstance(value, str) and name.lower() not in _THOUGHT_FIELDS]
    return (max(texts, key=len).strip(), False) if texts else (inner, False)


def _whole_sentences(text: str) -> str:
    """The text without the sentence that a cut left unfinished."""
    if text.rstrip(' *_"”’)]】|').endswith((".", "!", "?")):
        return text
    start = sentence_spans(text)[-1][0] if text else 0
    return text[: max(start, text.rfind("\n") + 1)].rstrip()


def _draft(text: str, name: str, sources: Sequence[Source], judge: Judge) -> Draft:
    """What was said, checked. Raises `LLMFailedError` where nothing of it holds."""
    declined = Draft("", (), answered=False, reason=f"{name} found no answer in the {len(sources)} nearest papers")
    if declines(text):
        return declined
    checked = check(text, sources, judge.terms_in, judge.verifier, judge.act_of)
    if checked.declined:
        return declined
    if checked.groundless or not checked.citations:
        raise LLMFailedError("said nothing that is supported by the papers")
    return Draft(checked.text, checked.citations, warnings=checked.warnings)


def _fit(prompt: Prompt, request: Request) -> Iterator[str]:
    """What did not fit the context, where that may be missed."""
    if prompt.used < min(_MISSED, len(request.sources)):
        yield f"{len(request.sources) - prompt.used} of {len(request.sources)} papers did not fit the LLM's context and were left out"
    if prompt.shortened:
        yield "only a part of the first paper's abstract fitted the LLM's context"


def _room(writer: Writer) -> tuple[int, int]:
    """(context, answer) in tokens: what an LLM tells of itself, the answer at most half."""
    try:
        told = writer.llm.metadata
    except Exception as error:  # some clients know their own models only, and raise for others
        what, advice = in_words(error, writer.name)
        raise LLMFailedError(f"{writer.name} {what}: {advice}") from error
    return told.context_window, min(max(_LEAST_ANSWER_TOKENS, told.num_output), told.context_window // 2)
