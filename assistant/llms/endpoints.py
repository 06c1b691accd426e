"""Where the parts of a server's protocol are at an address, as people write addresses, and which models it has.

Goes in: an address: bare, with a path or a version, with a query, of Azure's forms. Comes out: the URLs to try, how
its key is sent, whether it is of this machine or network, which no proxy may come between; and, where it is asked
over HTTP without any provider's client, the names of its models, or one error that says why there are none. Follows no
redirect, so that a key goes nowhere else. What a server sends is not trusted: only names that can be shown and typed are kept.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import re
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qs, quote, urlsplit, urlunsplit

CHAT = "chat/completions"
MODELS = "models"

_VERSION = re.compile(r"v\d+[a-z\d]*")
_AZURE = (".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com", ".azure-api.net")
_OWN_NETWORK = (".localhost", ".local", ".internal", ".lan", ".home.arpa")


def urls(address: str, model: str, part: str = CHAT) -> list[str]:
    """Where this part of the protocol may be, the likeliest first; what names a version or a deployment says it exactly."""
    parts = urlsplit(address)
    path = parts.path.rstrip("/")
    for ending in (f"/{CHAT}", f"/{MODELS}"):
        path = path.removesuffix(ending)
    paths = [path] if path != parts.path.rstrip("/") else _bases(parts, path, model)
    return [urlunsplit((parts.scheme, parts.netloc, f"{base}/{part}", parts.query, "")) for base in paths]


def _bases(parts: SplitResult, path: str, model: str) -> list[str]:
    last = path.rpartition("/")[2]
    if _VERSION.fullmatch(last) or "/deployments/" in path:
        return [path]
    deployment = f"{path.removesuffix('/openai')}/openai/deployments/{quote(model, safe='')}"
    if _of_azure(parts) and not path.removesuffix("/openai"):
        return [deployment] if "api-version" in parse_qs(parts.query) else ["/openai/v1"]
    found = [path, f"{path}/v1"] if path else ["/v1", ""]
    return [*found, deployment] if "api-version" in parse_qs(parts.query) else found


def _of_azure(parts: SplitResult) -> bool:
    return (parts.hostname or "").endswith(_AZURE)


def wants_api_key(url: str) -> bool:
    """Whether a key goes into `api-key`, as at Azure, rather than into `Authorization`."""
    parts = urlsplit(url)
    return _of_azure(parts) or "/openai/deployments/" in parts.path or "api-version" in parse_qs(parts.query)


def key_headers(url: str, key: str | None, bearer: bool | None = None) -> dict[str, str]:
    """The headers that carry a key. `bearer`: how, where it is known better than by the address."""
    if key is None:
        return {}
    as_bearer = not wants_api_key(url) if bearer is None else bearer
    return {"Authorization": f"Bearer {key}"} if as_bearer else {"api-key": key}


def is_private_network(url: str) -> bool:
    """Whether an address is of this machine or its own network, by its number or its kind of name."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        number = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:  # a name; one without a dot is never of the internet
        return "." not in host or host.endswith(_OWN_NETWORK)
    return not (getattr(number, "ipv4_mapped", None) or number).is_global


def on_this_machine(url: str) -> bool:
    """Whether an address is of this machine itself."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:  # a name
        return False


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
    direct = [urllib.request.ProxyHandler({})] if is_private_network(url) else []
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
