"""Who may log in to the page: users in a file, their passwords hashed by bcrypt (as `htpasswd -B` writes them).

Goes in: such a file, names and passwords. Comes out: whether they fit. Knows nothing of pages.
"""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable
from pathlib import Path

import bcrypt

from assistant import AssistantError

_MOST_WRONG = 5
_WRONG_SECONDS = 60.0
"""So many wrong passwords of one user in this time: then none is taken until some are older."""
_LONGEST = 72
"""Bytes of a password that bcrypt reads."""


class UsersError(AssistantError):
    """The file of users cannot be used, or a password cannot be kept."""


class Users:
    """The users of one file, read when it is opened."""

    def __init__(self, file: Path, now: Callable[[], float] = time.monotonic) -> None:
        """Raises `UsersError` naming the line."""
        self._now = now
        self._hashes = _read(file)
        self._nobody = bcrypt.hashpw(os.urandom(16).hex().encode(), bcrypt.gensalt())
        self._wrong: dict[str, deque[float]] = defaultdict(deque)
        self._lock = threading.Lock()
        if not self._hashes:
            raise UsersError(f"{file}: there is no user in it: add one with `assistant ui --auth {file} --add-user NAME`")

    def lets_in(self, name: str, password: str) -> bool:
        """Whether the password is the user's. Takes as long for a user who is not there."""
        if self._is_held_off(name):
            return False
        right = bcrypt.checkpw(_bytes(password), self._hashes.get(name, self._nobody)) and name in self._hashes
        with self._lock:
            if right:
                self._wrong.pop(name, None)
            elif name in self._hashes:
                self._wrong[name].append(self._now())
        return right

    def _is_held_off(self, name: str) -> bool:
        with self._lock:
            wrong = self._wrong.get(name, deque())
            while wrong and wrong[0] < self._now() - _WRONG_SECONDS:
                wrong.popleft()
            return len(wrong) >= _MOST_WRONG


def add_user(file: Path, name: str, password: str) -> None:
    """Adds a user, or gives him another password. Raises `UsersError`."""
    if not name or any(char in ":\r\n" for char in name) or name != name.strip():
        raise UsersError(f"“{name}” cannot be a user's name: leave out colons and spaces at its ends")
    if not password or len(password.encode()) > _LONGEST:
        raise UsersError(f"a password has 1 to {_LONGEST} bytes: choose another")
    hashes = _read(file) if file.exists() else {}
    hashes[name] = bcrypt.hashpw(_bytes(password), bcrypt.gensalt())
    draft = file.with_name(f".{file.name}.new")
    try:
        with open(draft, "w", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600)) as opened:
            opened.writelines(f"{user}:{kept.decode()}\n" for user, kept in hashes.items())
        draft.replace(file)
    except OSError as error:
        raise UsersError(f"{file}: cannot be written ({error.strerror}): check the folder") from error


def _read(file: Path) -> dict[str, bytes]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise UsersError(f"{file}: cannot be read ({error.strerror}): make it with `assistant ui --auth {file} --add-user NAME`") from error
    hashes: dict[str, bytes] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, colon, kept = line.partition(":")
        if not colon or not name or not kept.startswith(("$2a$", "$2b$", "$2y$")):
            raise UsersError(f"{file}, line {number}: not NAME:HASH with a bcrypt hash, as `htpasswd -B` writes it")
        hashes[name] = kept.strip().encode()
    return hashes


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "replace")[:_LONGEST]
