"""Where the library lives, and the starter library's place in it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import platformdirs

from index.chroma import ChromaServer
from index.embedding import Embedder, ModelChoice
from index.errors import BusyError, HomeError
from index.library import Library, Progress, no_progress

VARIABLE = "ASSISTANT_HOME"
APP_NAME = "paper-assistant"
_TRIES = 3


def print_nothing(message: str) -> None:
    """The default for `announce`."""


def default_home() -> Path:
    """The platform's user data folder for this program."""
    return Path(platformdirs.user_data_dir(APP_NAME, appauthor=False))


def chosen_home(home: str | os.PathLike[str] | None) -> tuple[Path, bool]:
    """The home to use, and whether somebody chose it (rather than it being the default).

    Raises `HomeError` for an unknown `~user`.
    """
    named = home or os.environ.get(VARIABLE)
    try:
        return (Path(named).expanduser(), True) if named else (default_home(), False)
    except RuntimeError as error:
        raise HomeError(f"{named}: there is no such user: choose another home with --home") from error


def open_library(
    home: str | os.PathLike[str] | None = None,
    embedder: Embedder | ModelChoice | None = None,
    progress: Progress = no_progress,
    announce: Callable[[str], None] = print_nothing,
    chroma: ChromaServer | None = None,
    vectors: bool = True,
) -> Library:
    """Opens a home and finishes whatever was left undone there.

    `chroma`: the server that holds the vectors; by default a folder of the home does. `vectors`: False where only the papers are wanted,
    whatever the vectors look like. The starter library is indexed by itself into a default home that was never used. `announce`
    is told, in one line, before work begins that takes long, and where another process is at it.
    """
    path, chosen = chosen_home(home)
    library = Library(path, embedder, chroma)
    if library.fault:
        announce(library.fault)
    if library.note:
        announce(library.note)
    if library.wanted is not None:
        announce(
            f"{path} is embedded by {library.embedder.name}, which answers until `assistant index` has embedded "
            f"its {library.catalogue.count()} papers with {library.wanted.name}"
        )
    if not chosen and library.manifest() is None and not library.catalogue.sources():
        announce(f"First use: indexing the starter library into {path}")
        library.add_starter(progress)
        return library
    if not vectors:
        return library
    if library.read_only:
        _tell_what_is_unfinished(library, announce)
        return library
    try:
        library.catch_up(progress, lambda missing: announce(_why_embedding(library, missing)))
    except BusyError as error:
        _wait_until_sound(library)
        announce(f"{error}. Until then, answers come from what is indexed so far")
    return library


def _tell_what_is_unfinished(library: Library, announce: Callable[[str], None]) -> None:
    missing = library.stale()
    if missing and missing == library.catalogue.count():
        raise HomeError(
            f"{library.home}: none of its {missing} papers can be searched: their vectors are missing or damaged, "
            "and nothing can be written here. Run `assistant index` where the home may be written"
        )
    if missing:
        announce(f"{missing} papers of {library.home} are not embedded: they are found where it may be written")


def _wait_until_sound(library: Library) -> None:
    """While another process writes the search graphs, they may be half written for a moment, and to open one ends the process."""
    for _ in range(_TRIES):
        if library.vectors.place.try_out():
            return
    raise BusyError(f"{library.home}: another process is writing to this home: wait until it is done, then try again")


def _why_embedding(library: Library, missing: int) -> str:
    """What is told before papers are embedded that nobody just added."""
    manifest = library.manifest()
    if manifest is not None and manifest.fingerprint != library.fingerprint:
        return f"The index in {library.home} was made by another version: {missing} papers to embed anew by {library.embedder.name}"
    return f"Finishing the index in {library.home}: {missing} papers to embed"
