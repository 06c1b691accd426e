"""What an LLM's response tells besides its text: what was used, and whether it ended well.

Goes in: a LlamaIndex response. Comes out: its piece of text, its counts and its end. Providers
agree on none of it, so the shapes of their documented wire formats are looked for; what a server
does not tell stays unknown. Knows no client.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llama_index.core.llms import ChatResponse

_PROMPT = ("prompt_tokens", "input_tokens", "prompt_eval_count")
_COMPLETION = ("completion_tokens", "output_tokens", "eval_count")
_CUT = frozenset({"length", "max_tokens"})


@dataclass(frozen=True)
class Told:
    """One response."""

    delta: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    tells_end: bool = False
    """Whether this server says when an answer ends."""
    ended: str | None = None
    """Why the answer ended, in the server's word, where it did."""

    @property
    def cut(self) -> bool:
        """Whether it ended at its length limit."""
        return self.ended in _CUT


def told(response: ChatResponse) -> Told:
    """What a response tells."""
    holders = [response.additional_kwargs or {}, *_usages(response.raw)]
    tells_end, ended = _end(response.raw)
    return Told(response.delta or "", _count(holders, _PROMPT), _count(holders, _COMPLETION), tells_end, ended)


def _usages(raw: Any) -> Iterator[Any]:
    """Where servers put their counts."""
    yield raw
    yield _get(raw, "usage")
    yield _get(_get(raw, "message"), "usage")


def _end(raw: Any) -> tuple[bool, str | None]:
    """(whether this server says when an answer ends, why it did)."""
    if choices := _get(raw, "choices"):
        return True, _word(_get(choices[0], "finish_reason"))
    if isinstance(done := _get(raw, "done"), bool):  # Ollama
        return True, (_word(_get(raw, "done_reason")) or "stop") if done else None
    if _get(raw, "type") in {"message_start", "content_block_start", "content_block_delta", "message_delta", "message_stop"}:  # Anthropic
        return True, _word(_get(_get(raw, "delta"), "stop_reason")) or ("stop" if _get(raw, "type") == "message_stop" else None)
    return False, None


def _count(holders: list[Any], names: tuple[str, ...]) -> int | None:
    for holder in holders:
        for name in names:
            if isinstance(count := _get(holder, name), int) and not isinstance(count, bool) and count >= 0:
                return count
    return None


def _word(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _get(holder: Any, name: str) -> Any:
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)
