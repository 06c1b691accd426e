"""Where the parts of OpenAI's protocol are at an address, as people write addresses.

Goes in: an address: bare, with a path or a version, with a query, of Azure's forms. Comes out: the URLs to try, how
its key is sent, and whether it is of this machine or network, which no proxy may come between. Asks nothing.
"""

from __future__ import annotations

import ipaddress
import re
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


def is_near(url: str) -> bool:
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
