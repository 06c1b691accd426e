"""Which models a server has, asked over HTTP without any provider's client.

Goes in: an address. Comes out: the names of its models, or one error that says why there are none.
Follows no redirect, so that a key goes nowhere else, and uses no proxy for this machine and its network. What a
server sends is not trusted: only names that can be shown and typed are kept.
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from assistant.llms.endpoints import MODELS, is_near, key_headers, urls

_MOST_BYTES = 2_000_000
_MOST_MODELS = 500
_LONGEST_NAME = 200


class NoListError(Exception):
    """The server gave no list of models. `status` is its HTTP status, None where it was not reached."""

    def __init__(self, message: str, status: int | None = None) -> None:
        self.status = status
        super().__init__(message)


def openai_models(address: str, key: str | None, seconds: float) -> tuple[str, ...]:
    """The models of a server that speaks OpenAI's protocol, but those that only embed. Raises `NoListError`."""
    *others, last = urls(address, "", MODELS)
    for url in others:
        try:
            return _names(get_json(url, seconds, key_headers(url, key)), "data", "id")
        except NoListError as error:
            if error.status not in {200, 404, 405}:  # else it may be at the next place
                raise
    return _names(get_json(last, seconds, key_headers(last, key)), "data", "id")


def anthropic_models(address: str, key: str | None, seconds: float) -> tuple[str, ...]:
    """The models of Anthropic's API. Raises `NoListError`."""
    headers = {"anthropic-version": "2023-06-01", **({"x-api-key": key} if key else {})}
    return _names(get_json(f"{address.rstrip('/')}/v1/models?limit=1000", seconds, headers), "data", "id")


def ollama_models(address: str, key: str | None, seconds: float) -> tuple[str, ...]:
    """The models that an Ollama has fetched, but those that only embed. Raises `NoListError`."""
    found = get_json(f"{address.rstrip('/')}/api/tags", seconds, {"Authorization": f"Bearer {key}"} if key else {})
    return _names(found, "models", "name")


def ollama_context(address: str, model: str, key: str | None, seconds: float) -> int | None:
    """The tokens that a model of an Ollama holds; None where it does not say. Raises `NoListError`."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    told = get_json(f"{address.rstrip('/')}/api/show", seconds, headers, {"model": model})
    facts = told.get("model_info") if isinstance(told, Mapping) else None
    lengths = [value for name, value in facts.items() if name.endswith(".context_length")] if isinstance(facts, Mapping) else []
    return next((value for value in lengths if isinstance(value, int) and value > 0), None)


def get_json(url: str, seconds: float, headers: Mapping[str, str], body: Mapping[str, Any] | None = None) -> Any:
    """What a server sends for a request, within so many seconds of silence. Raises `NoListError`."""
    data = None if body is None else json.dumps(body).encode()
    try:
        request = urllib.request.Request(url, data, {"Accept": "application/json", "Content-Type": "application/json", **headers})
        with _opener(url).open(request, timeout=seconds) as response:
            return json.loads(response.read(_MOST_BYTES))
    except urllib.error.HTTPError as error:
        with error:
            raise NoListError(f"answers with {error.code}", error.code) from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise NoListError("sends something that is no JSON", 200) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoListError(_why(error)) from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments: Any) -> None:
        return None


def _opener(url: str) -> urllib.request.OpenerDirector:
    direct = [urllib.request.ProxyHandler({})] if is_near(url) else []
    return urllib.request.build_opener(_NoRedirect, *direct)


def _why(error: Exception) -> str:
    cause = getattr(error, "reason", None) or error
    if isinstance(cause, ConnectionRefusedError):
        return "refuses connections"
    if isinstance(cause, TimeoutError):
        return "does not answer in time"
    return f"cannot be reached ({getattr(cause, 'strerror', None) or cause})"


def _names(document: Any, listed: str, named: str) -> tuple[str, ...]:
    entries = document.get(listed) if isinstance(document, Mapping) else None
    if not isinstance(entries, list):
        raise NoListError("sends something that is no list of models", 200)
    told = [entry for entry in entries if isinstance(entry, Mapping) and not _embeds(entry)]
    names = [name for entry in told if isinstance(name := entry.get(named), str) and _can_be_shown(name)]
    return tuple(dict.fromkeys(names))[:_MOST_MODELS]


def _can_be_shown(name: str) -> bool:
    return 0 < len(name) <= _LONGEST_NAME and name.isprintable() and not any(char.isspace() for char in name)


def _embeds(entry: Mapping[str, Any]) -> bool:
    """Whether a model makes vectors and writes nothing, by the names that such models have."""
    details = entry.get("details")
    family = str(details.get("family", "")) if isinstance(details, Mapping) else ""
    return "bert" in family or "embed" in str(entry.get("id") or entry.get("name") or "").lower()
