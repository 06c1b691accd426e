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
_CUT = frozenset({"length", "max_tokens", "model_length", "max_output_tokens", "token_limit"})
_FILTERED = frozenset(
    {
        "content_filter",
        "content_filtered",
        "safety",
        "recitation",
        "blocklist",
        "prohibited_content",
        "spii",
        "guardrail_intervened",
        "refusal",
        "sensitive",
    }
)
_FAILED = frozenset({"error", "abort", "aborted", "cancelled", "insufficient_system_resource", "network_error", "malformed_function_call"})
_TOOL = frozenset({"tool_calls", "tool_use", "function_call"})


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

    thought: bool = False
    """Whether it held a thought in a field of its own."""
    tool: bool = False
    """Whether it calls a tool."""

    @property
    def cut(self) -> bool:
        """Whether it ended at its length limit."""
        return (self.ended or "").lower() in _CUT

    @property
    def filtered(self) -> bool:
        """Whether a filter of the server's ended it."""
        return (self.ended or "").lower() in _FILTERED

    @property
    def failed(self) -> bool:
        """Whether it ended because something failed."""
        return (self.ended or "").lower() in _FAILED


def told(response: ChatResponse) -> Told:
    """What a response tells."""
    holders = [response.additional_kwargs or {}, *_usages(response.raw)]
    tells_end, ended = _end(response.raw)
    more = response.additional_kwargs or {}
    thought = bool(more.get("thought") or more.get("thinking_delta"))
    tool = bool(more.get("tool") or more.get("tool_calls")) or (ended or "").lower() in _TOOL
    return Told(response.delta or "", _count(holders, _PROMPT), _count(holders, _COMPLETION), tells_end, ended, thought, tool)


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
