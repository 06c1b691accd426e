"""Where Chroma keeps the vectors: a folder of the home, or a server.

Goes in: a folder, or a server's address. Comes out: a client of Chroma's that is open, is known to be sound
before it is opened, and whose failures are `HomeError`s that say what to do. Knows nothing of papers.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from index import integrity
from index.errors import HomeError

if TYPE_CHECKING:
    from chromadb.api import ClientAPI

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 120.0
"""That a server may take for one answer; storing some thousand vectors is one."""


@dataclass(frozen=True)
class ChromaServer:
    """A server of Chroma's (`chroma run`, a cluster, Chroma Cloud)."""

    url: str
    """`http://host:port` or `https://host`."""
    tenant: str = "default_tenant"
    database: str = "default_database"
    token: str = field(default="", repr=False)
    """Sent with every request where there is one."""

    def __post_init__(self) -> None:
        """Raises `HomeError` for an address that is none."""
        try:
            parts = urlsplit(self.url)
            sound = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.path in ("", "/") and not parts.query
            _ = parts.port
        except ValueError:
            sound = False
        if not sound:
            raise HomeError(f"{self.url!r} is no address of a Chroma server: give http://HOST:PORT, or nothing for the home's own folder")

    @property
    def name(self) -> str:
        """What tells it from other places, without what is secret."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname}:{self.port}/{self.tenant}/{self.database}"

    @property
    def port(self) -> int:
        """The port, by default that of the scheme."""
        parts = urlsplit(self.url)
        return parts.port or (443 if parts.scheme == "https" else 80)


class Place(ABC):
    """One place of Chroma as this process has it open. All but `close` is to be used under `lock`."""

    suffix = ""
    """What the collections' names end with."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.lock = threading.RLock()
        self.times_closed = 0
        self._client: ClientAPI | None = None

    @property
    def client(self) -> ClientAPI:
        """Chroma's client, opened where it is not."""
        if self._client is None:
            self._client = self._opened()
        return self._client

    def close(self) -> None:
        """Lets go of the place; collections got before are no longer to be used."""
        with self.lock:
            self.times_closed += 1
            if self._client is not None:
                self._client.close()  # type: ignore[attr-defined]
                self._client = None

    @contextmanager
    def told(self) -> Iterator[None]:
        """What Chroma, the network and the disk raise in this block becomes a `HomeError` that says what to do."""
        from chromadb.errors import ChromaError, NotFoundError

        try:
            yield
        except NotFoundError:
            raise
        except (ChromaError, OSError) as error:
            raise self._translated(error) from error

    @property
    def note(self) -> str:
        """What is to be known of how the place is read; empty: nothing."""
        return ""

    @abstractmethod
    def settled(self, generation: int) -> bool:
        """Whether nothing moved since work was finished with this generation, as far as can be seen without opening anything."""

    @abstractmethod
    def fault(self, generation: int | None, look_again: bool = False) -> str | None:
        """What is wrong with what is stored (None: nothing), after work that was finished with `generation`, or broken off (None)."""

    @abstractmethod
    def finish(self, generation: int) -> None:
        """Keeps what `settled` and `fault` go by."""

    @abstractmethod
    def empty(self) -> None:
        """Removes all that is stored here for this library."""

    @abstractmethod
    def require_writable(self) -> None:
        """Raises `HomeError` where nothing can be written."""

    def try_out(self) -> bool:
        """Whether it can be opened at this moment, though another process writes there."""
        return True

    @abstractmethod
    def _opened(self) -> ClientAPI: ...

    @abstractmethod
    def _translated(self, error: Exception) -> HomeError: ...


class LocalFolder(Place):
    """A folder of Chroma's.

    Chroma gives all who open a folder in one process the same client, and a client that is open
    does not see what another process writes. So whoever wants to see it must close everyone's.
    """

    _known: ClassVar[dict[Path, LocalFolder]] = {}
    _all: ClassVar[threading.Lock] = threading.Lock()

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self.path = path
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        self._found_sound: tuple[int | None, frozenset[tuple[str, int, int]]] | None = None

    @classmethod
    def of(cls, path: Path) -> LocalFolder:
        """The one of this process for a path."""
        with cls._all:
            return cls._known.setdefault(path.absolute(), cls(path))

    @property
    def note(self) -> str:
        if self._is_writable():
            return ""
        if os.access(self.path.parent, os.W_OK):
            return f"{self.path} cannot be written: the vectors are read by way of a temporary folder"
        return f"{self.path.parent} cannot be written: it is read as it is, its vectors by way of a temporary folder"

    def close(self) -> None:
        super().close()
        with self.lock:
            if self._copy is not None:
                self._copy.cleanup()
                self._copy = None

    def settled(self, generation: int) -> bool:
        return integrity.settled(self.path, generation)

    def fault(self, generation: int | None, look_again: bool = False) -> str | None:
        self._require_folder()
        state = (generation, self._state())
        if self._found_sound == state and not look_again:
            return None
        found = integrity.fault(self.path, generation, look_again)
        if found is None:
            self._found_sound = state
        return found

    def finish(self, generation: int) -> None:
        if self.path.is_dir():
            integrity.keep(self.path, generation)
            integrity.seen(self.path)

    def empty(self) -> None:
        from chromadb.errors import ChromaError

        sound = self.fault(None) is None
        try:
            if sound:
                for collection in self.client.list_collections():
                    self.client.delete_collection(collection.name)  # those who have it open learn of it so
        except ChromaError:
            sound = False
        self.close()
        if not sound:
            shutil.rmtree(self.path)

    def try_out(self) -> bool:
        """As above; asked of a process of its own."""
        return not integrity.stored(self.path) or integrity.probe(self.path) is None

    def require_writable(self) -> None:
        self._require_folder()
        if not self._is_writable():
            raise HomeError(f"{self.path}: the folder of the vectors cannot be written: check its permissions and those of the disk")

    def _opened(self) -> ClientAPI:
        import chromadb
        from chromadb.config import Settings

        self._require_folder()
        folder = self.path
        if not self._is_writable():
            folder = self._copied()
        elif not folder.exists():
            folder.mkdir(mode=0o700, parents=True)
        client = chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
        if folder is self.path:
            integrity.seen(folder)
        return client

    def _require_folder(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise HomeError(f"{self.path}: a file lies where the folder of the vectors should be: move it away; they are then made anew")

    def _is_writable(self) -> bool:
        place = self.path if self.path.exists() else self.path.parent
        return os.access(place, os.W_OK | os.X_OK) and all(os.access(file, os.W_OK) for file in place.glob(integrity.DATABASE))

    def _copied(self) -> Path:
        """A folder that may be written, as Chroma wants it: the database copied, the search graphs linked to."""
        if self._copy is None:
            self._copy = tempfile.TemporaryDirectory(prefix="paper-assistant-vectors-")
        folder = Path(self._copy.name)
        if (folder / integrity.DATABASE).exists() or not (self.path / integrity.DATABASE).exists():
            return folder
        for segment in integrity.stored(self.path):
            (folder / segment.name).symlink_to(segment.absolute(), target_is_directory=True)
        try:
            copy_database(self.path / integrity.DATABASE, folder / integrity.DATABASE)
        except sqlite3.Error as error:
            raise HomeError(f"{self.path}: the vectors cannot be read ({error}); where they may be written, they are made anew") from error
        return folder

    def _state(self) -> frozenset[tuple[str, int, int]]:
        files = [file for file in self.path.rglob("*") if file.is_file() and file.suffix != ".json"]
        return frozenset((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files)

    def _translated(self, error: Exception) -> HomeError:
        if isinstance(error, OSError):
            return HomeError(f"{self.path}: {error.strerror or error}: check the disk's space and the folder's permissions")
        return HomeError(
            f"{self.path}: the vectors cannot be read or written ({error}). Make room or mend permissions where that is why; "
            "`assistant index` then finishes the work, or makes damaged vectors anew"
        )


class Server(Place):
    """A server of Chroma's. What it stores is its own care: nothing here judges its files."""

    def __init__(self, server: ChromaServer, library: str) -> None:
        """`library`: what tells the collections of this library from others' in the same database."""
        super().__init__(server.name)
        self._server = server
        self.suffix = f"-{library}"

    def settled(self, generation: int) -> bool:
        return True

    def fault(self, generation: int | None, look_again: bool = False) -> str | None:
        return None

    def finish(self, generation: int) -> None:
        pass

    def empty(self) -> None:
        for collection in self.client.list_collections():
            if collection.name.endswith(self.suffix):
                self.client.delete_collection(collection.name)
        self.close()

    def require_writable(self) -> None:
        pass

    def _opened(self) -> ClientAPI:
        import chromadb
        from chromadb.config import Settings
        from chromadb.errors import NotFoundError

        parts = urlsplit(self._server.url)
        host = parts.hostname or ""
        if host in _LOOPBACK:
            _never_by_proxy()
        headers = {"Authorization": f"Bearer {self._server.token}", "X-Chroma-Token": self._server.token} if self._server.token else {}
        self._try(headers)
        try:
            client = chromadb.HttpClient(
                host=f"[{host}]" if ":" in host else host,
                port=self._server.port,
                ssl=parts.scheme == "https",
                headers=headers,
                settings=Settings(anonymized_telemetry=False),
                tenant=self._server.tenant,
                database=self._server.database,
            )
        except (ValueError, NotFoundError) as error:  # how Chroma says that it was not reached, or knows no such tenant
            raise self._translated(error) from error
        client._server._session.timeout = _ANSWER_SECONDS  # type: ignore[attr-defined]  # by default it waits for ever
        return client

    def _try(self, headers: dict[str, str]) -> None:
        """One request with a limit to its time, which Chroma's client has none for while it opens."""
        import httpx

        try:
            with httpx.Client(timeout=_CONNECT_SECONDS, headers=headers) as client:
                client.get(f"{self._server.url.rstrip('/')}/api/v2/heartbeat").raise_for_status()
        except httpx.HTTPError as error:
            raise self._translated(error) from error

    @contextmanager
    def told(self) -> Iterator[None]:
        import httpx

        with super().told():
            try:
                yield
            except Exception as error:
                if isinstance(error, httpx.HTTPError) or type(error) is Exception:  # an answer that is not Chroma's
                    raise self._translated(error) from error
                raise

    def _translated(self, error: Exception) -> HomeError:
        return HomeError(
            f"the Chroma server {self.name} does not answer as it should ({str(error) or type(error).__name__}): check that it runs, "
            "the settings chroma, chroma_tenant and chroma_database, and CHROMA_TOKEN where it wants one"
        )


def copy_database(source: Path, target: Path) -> None:
    """Copies a SQLite file as of one moment, whoever writes to it meanwhile. Raises `sqlite3.Error`."""
    with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


def _never_by_proxy() -> None:
    """This machine is reached directly, whatever proxy the environment names: Chroma's client takes it from there alone."""
    known = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
    if known.strip() != "*":
        names = dict.fromkeys([*(name.strip() for name in known.split(",") if name.strip()), *_LOOPBACK])
        os.environ["no_proxy"] = os.environ["NO_PROXY"] = ",".join(names)
