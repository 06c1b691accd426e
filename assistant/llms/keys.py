"""Keys of LLMs' services: which one goes to which address.

Goes in: an address, and the variable of the environment that a provider reads. Comes out: the key that the user gave for that address,
in this process or kept in a file of his own; else the environment's. A key goes to the address it was given for (scheme, host and port)
and to no other. The file lies outside all homes, so that a home that came from somebody else brings none and gets none.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from assistant.errors import MissingKeyError, SettingsError

_DEFAULT_PORTS = {"http": 80, "https": 443}
_given: dict[str, str] = {}
"""By origin, in this process alone."""
_writing = threading.Lock()


@dataclass(frozen=True)
class GivenKey:
    """That a key was given for an address; never the key."""

    origin: str
    """`https://host:port`."""
    is_kept: bool
    """Whether it lies in the file, too, and so outlasts this process."""


def file() -> Path:
    """Where kept keys lie: readable by their owner alone."""
    import platformdirs

    return Path(platformdirs.user_config_dir("paper-assistant", appauthor=False)) / "keys.json"


def origin_of(address: str) -> str:
    """Scheme, host and port of an address, whose one key it has."""
    parts = urlsplit(address.strip())
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    return f"{parts.scheme}://{host}:{parts.port or _DEFAULT_PORTS.get(parts.scheme, '')}"


def give(address: str, key: str, keep: bool = False) -> Callable[[], None]:
    """Notes the key of an address; `keep`: in the file, too. Comes out: what takes it back from this process, where the address then has
    the key that it had before; a key given since then stays.

    Raises `MissingKeyError` for what cannot be a key, `SettingsError` where the file cannot be read or written.
    """
    origin, key = origin_of(address), _checked(key.strip(), f"what was given for {address}")
    if keep:
        with _writing:
            kept = _read()
            _write(_File({**kept.keys, origin: key}, kept.own))
    before = _given.get(origin)
    _given[origin] = key

    def take_back() -> None:
        if _given.get(origin) != key:
            return
        if before is None:
            _given.pop(origin, None)
        else:
            _given[origin] = before

    return take_back


def forget(address: str) -> None:
    """Takes the key of an address back, from the file, too. Raises `SettingsError`."""
    origin = origin_of(address)
    _given.pop(origin, None)
    with _writing:
        kept = _read()
        if origin in kept.keys:
            _write(_File({one: key for one, key in kept.keys.items() if one != origin}, kept.own))


def given() -> list[GivenKey]:
    """The addresses that keys were given for. Raises `SettingsError`."""
    kept = _read().keys
    return [GivenKey(origin, origin in kept) for origin in sorted({*_given, *kept})]


def named(address: str) -> None:
    """Notes that the user himself named this address: the environment's key may go there, whoever names it later.

    Raises `SettingsError`.
    """
    origin = origin_of(address)
    with _writing:
        kept = _read()
        if origin not in kept.own:
            _write(_File(kept.keys, (*kept.own, origin)))


def key_for(address: str, variable: str, by_user: bool = True) -> str | None:
    """The key that goes to an address, None where there is none. `variable`: of the environment, where none was given for this address;
    `by_user`: whether the user himself named the address, now.

    Raises `MissingKeyError` for what cannot be a key, which clients would print when they fail on it, and where the environment's
    key would go to an address that the user never named; `SettingsError` where the file cannot be read.
    """
    origin = origin_of(address)
    kept = _read()
    if found := _given.get(origin) or kept.keys.get(origin):
        return found
    value = os.environ.get(variable, "").strip()
    if not value:
        return None
    if not by_user and origin not in kept.own:
        raise MissingKeyError(
            f"the key in {variable} is not sent to {origin}, which only settings.toml names: if it is meant for it, choose it once with "
            "`assistant llm use`"
        )
    return _checked(value, variable)


def needed_key(provider: str, address: str, variable: str) -> str:
    """The key that goes to an address. Raises `MissingKeyError` where there is none, too."""
    found = key_for(address, variable)
    if found is None:
        raise MissingKeyError(f"{provider} needs a key: set {variable} in the environment")
    return found


def without_keys(text: str, variables: list[str]) -> str:
    """The text, less every key that is known here, as a server may send it back."""
    try:
        kept = _read().keys
    except SettingsError:  # a file that cannot be read gave no key
        kept = {}
    known = [*_given.values(), *kept.values(), *(os.environ.get(variable, "").strip() for variable in variables)]
    for key in known:
        text = text.replace(key, "…") if len(key) > 7 else text
    return text


@dataclass(frozen=True)
class _File:
    keys: dict[str, str]
    own: tuple[str, ...]
    """Addresses that the user named, to which the environment's key may go."""


def _checked(key: str, where: str) -> str:
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise MissingKeyError(f"{where} holds something that is no key: set it anew, without spaces and line breaks")
    return key


def _read() -> _File:
    path = file()
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        keys = {str(origin): str(key) for origin, key in held["keys"].items()}
        return _File(keys, tuple(map(str, held["own"])))
    except FileNotFoundError:
        return _File({}, ())
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}): check its permissions") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SettingsError(f"{path}: no file of keys: mend or delete it") from error


def _write(held: _File) -> None:
    path = file()
    draft = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft.unlink(missing_ok=True)
        with open(draft, "x", encoding="utf-8", opener=lambda name, flags: os.open(name, flags, 0o600)) as opened:
            json.dump({"keys": held.keys, "own": held.own}, opened, indent=1)
        draft.replace(path)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be written ({error.strerror}): check its folder") from error
