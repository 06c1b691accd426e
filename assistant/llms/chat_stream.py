"""Reads what servers send that speak OpenAI's chat completions, as they really send it.

Goes in: the bytes of a response, cut anywhere: server-sent events, JSON by the line, or one JSON document. Comes
out: pieces of an answer, with what the server told of its end and of tokens; an error that it sent with status 200
is raised with its own words. Thoughts in fields of their own are left out, and noted. Sends nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_MOST_BUFFERED = 8_000_000
"""Bytes of one line or document: no answer is that long."""
_LINE_END = re.compile(rb"\r\n|\n|\r(?!$)")
_OTHER_FIELD = re.compile(r"(?:event|id|retry)\s*:")
_DONE = "[DONE]"

_THOUGHTS = ("reasoning_content", "reasoning", "reasoning_details", "reasoning_text", "thinking", "thinking_blocks", "thought", "thoughts")
_TOOLS = ("tool_calls", "function_call")


class ServerError(Exception):
    """A server said that it failed, by its status or in what it sent."""

    def __init__(self, message: str, status: int | None = None, headers: Mapping[str, str] | None = None, param: str = "") -> None:
        self.message = message
        """The server's own words; empty where it sent none."""
        self.status_code = status
        self.headers = headers or {}
        self.param = param
        """The parameter that it blames, where it names one."""
        super().__init__(message or f"status {status}")


class NoAnswerError(Exception):
    """What came is no part of this protocol."""


@dataclass(frozen=True)
class Chunk:
    """A piece of an answer."""

    delta: str = ""
    finish: str | None = None
    """Why the answer ended, in the server's word, where it did."""
    usage: Mapping[str, Any] | None = None
    thought: bool = False
    """Whether it held a thought."""
    tool: bool = False
    """Whether it calls a tool."""


class Documents:
    """The JSON documents of a response. `done` is set once the server said that there are no more."""

    def __init__(self) -> None:
        self.done = False
        self._events = False
        self._found = 0
        self._bytes = b""
        self._data: list[str] = []
        self._plain = ""

    @property
    def alone(self) -> bool:
        """Whether there was but one, which is whole by itself: not an event, nor a line of several."""
        return not self._events and self._found <= 1

    def feed(self, data: bytes) -> Iterator[Any]:
        """What is whole now that these bytes have come."""
        self._bytes += data
        if len(self._bytes) + len(self._plain) > _MOST_BUFFERED:
            raise NoAnswerError("a line without end")
        *lines, self._bytes = _LINE_END.split(self._bytes)
        for line in lines:
            yield from self._line(line.decode("utf-8", "replace").lstrip("\ufeff"))

    def end(self) -> Iterator[Any]:
        """What is left when the response has ended."""
        yield from self._line(self._bytes.decode("utf-8", "replace").rstrip("\r"))
        self._bytes = b""
        if left := "\n".join(self._data) or self._plain.strip():
            yield json.loads(left)

    def _line(self, line: str) -> Iterator[Any]:
        if line.startswith("data:"):
            yield from self._datum(line[5:].strip())
        elif not line.strip() or (not self._plain and (line.startswith(":") or _OTHER_FIELD.match(line))):
            return
        else:
            self._plain += line + "\n"
            if line[0] in "{}[]" and (document := _parsed(self._plain)) is not None:
                self._plain = ""
                self._found += 1
                yield document

    def _datum(self, datum: str) -> Iterator[Any]:
        """Data of an event: a document in one line, as all servers send it, or in several, as the format allows."""
        self._events = True
        if datum == _DONE:
            self.done = True
        elif datum:
            self._data.append(datum)
            if len(self._data) > 1 and _parsed(datum) is not None:
                raise NoAnswerError(f"half a document: {self._data[0][:40]}") from None
            if (document := _parsed("\n".join(self._data))) is not None:
                self._data = []
                yield document


def _parsed(text: str) -> Any | None:
    try:
        return json.loads(text)
    except ValueError:
        return None


def chunk(document: Any) -> Chunk | None:
    """The piece of an answer that a document holds; None where it holds none. Raises `ServerError` for an error."""
    if isinstance(document, Sequence) and not isinstance(document, str) and document:  # Google lists what others send alone
        document = document[0]
    if not isinstance(document, Mapping):
        return None
    usage = document.get("usage") if isinstance(document.get("usage"), Mapping) else None
    choices = document.get("choices")
    if isinstance(choices, list) and choices and not document.get("error"):
        return _of_choice(choices[0], usage)
    raise_error(document)
    return Chunk(usage=usage) if isinstance(choices, list) or usage else None


def _of_choice(choice: Any, usage: Mapping[str, Any] | None) -> Chunk | None:
    if not isinstance(choice, Mapping):
        return None
    if choice.get("error"):
        raise_error(choice)
    finish = choice.get("finish_reason") or choice.get("stop_reason")
    finish = finish if isinstance(finish, str) else None
    if choice.get("index") not in {None, 0}:
        return Chunk(usage=usage)
    message = next((choice[name] for name in ("delta", "message") if isinstance(choice.get(name), Mapping)), None)
    if message is None:
        text = choice.get("text")
        return Chunk(text, finish, usage) if isinstance(text, str) else Chunk(finish=finish, usage=usage) if finish or usage else None
    text, thought = _text(message.get("content"))
    if not text and isinstance(refusal := message.get("refusal"), str):
        text = refusal
    thought = thought or any(message.get(name) for name in _THOUGHTS)
    return Chunk(text, finish, usage, thought, any(message.get(name) for name in _TOOLS))


def _text(content: Any) -> tuple[str, bool]:
    """(the text of a content in any of its shapes, whether it also holds a thought)."""
    if isinstance(content, str):
        return content, False
    if isinstance(content, list):
        parts = [_text(part) for part in content]
        return "".join(text for text, _ in parts), any(thought for _, thought in parts)
    if not isinstance(content, Mapping):
        return "", False
    kind = str(content.get("type") or "text").lower()
    if "think" in kind or "reason" in kind or "thought" in kind:
        return "", True
    held = next((content[name] for name in ("text", "value", "content", "refusal") if content.get(name) is not None), None)
    return _text(held)


def raise_error(document: Mapping[str, Any], status: int | None = None, headers: Mapping[str, str] | None = None) -> None:
    """Raises `ServerError` where a document tells of one, or where the status does."""
    error = document.get("error") or document.get("errors")
    if isinstance(error, list) and error:
        error = error[0]
    if not error and (document.get("object") == "error" or document.get("type") == "error" or "choices" not in document):
        error = document if _words(document) else None
    if not error and status is None:
        return
    holder = error if isinstance(error, Mapping) else {}
    code = next((int(str(each)) for name in ("code", "status", "status_code", "http_code") if _is_status(each := holder.get(name))), None)
    param = holder.get("param")
    raise ServerError(_words(error), status or code, headers, param if isinstance(param, str) else "")


def _is_status(code: Any) -> bool:
    return str(code).isdigit() and 400 <= int(code) < 600


def _words(error: Any) -> str:
    """What an error says, in whichever of its fields servers put it."""
    if isinstance(error, str):
        return error.strip()
    if isinstance(error, list):  # FastAPI's complaints, each with the place it is about
        return "; ".join(filter(None, (_words(each) for each in error)))
    if not isinstance(error, Mapping):
        return ""
    place = error.get("loc")
    where = f"{'.'.join(map(str, place))}: " if isinstance(place, list) else ""
    for name in ("message", "msg", "detail", "error", "error_msg", "error_message", "status_msg", "base_resp", "reason"):
        if said := _words(error.get(name)):
            return where + said
    return ""
