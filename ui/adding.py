"""Papers that come in by the page: files that were dropped, text that was pasted.

Goes in: paths of uploads, text, arXiv ids and DOIs. Comes out: HTML of how far it is, at last of what was read, joined, skipped
and why, with the sources that are new by it. What came is kept in the home, in a folder of its own, so that it can be read again.
A name is only ever a name; only ids are looked up elsewhere. Knows nothing of Gradio.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from queue import SimpleQueue

from index import Hints, IndexingError, IndexReport, Library
from index.sources.registry import FORMATS
from ui.markup import escape
from ui.polling import called
from ui.render import notice_html

FOLDER = "added"
"""In the home."""
MOST_BYTES = 200 * 2**20
"""Of one file."""
_PULSE_SECONDS = 0.3
_MOST_SKIPPED = 50
"""Lines of what was skipped that are shown."""
_LONGEST_NAME = 80
_MOST_IDS = 200
_ARXIV = re.compile(
    r"(?:arxiv:|https?://(?:www\.|export\.)?arxiv\.org/(?:abs|pdf)/)?(\d{4}\.\d{4,5}(?:v\d{1,3})?)(?:\.pdf)?", re.IGNORECASE
)
_DOI = re.compile(r"(?:doi:|https?://(?:dx\.)?doi\.org/)?(10\.\d{4,9}/[^\s,;]+)", re.IGNORECASE)
_TITLES_TOO, _BOX = "--titles-too keeps", "tick the box above and add them again: it keeps"
"""What the command line says, and what the page does."""
Told = tuple[str, Sequence[str]]
"""HTML, and the names of the sources that are new by what it tells."""
log = logging.getLogger(__name__)


def file_types() -> list[str]:
    """The endings that are taken, packed or not."""
    endings = sorted({ending for known in FORMATS for ending in known.suffixes})
    return [*endings, ".gz"]


class Adding:
    """Adds papers to one library, telling the page how far it is."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def add(self, uploads: Sequence[str], pasted: str, titles_too: bool = False) -> Iterator[Told]:
        """Files, then the text, or what its ids name; the uploads are gone afterwards. `titles_too`: papers without an abstract."""

        def work(tell: Callable[[_Step], None]) -> IndexReport:
            stored = [self._stored(Path(upload).name, Path(upload).read_bytes()) for upload in uploads]
            for upload in uploads:
                Path(upload).unlink(missing_ok=True)
            looked_up = services_of(pasted)
            if pasted.strip() and not looked_up:
                stored.append(self._stored(time.strftime("pasted-%Y-%m-%d-%H%M%S.txt"), pasted.encode("utf-8", "replace")))
            meter = _Meter(tell)
            hints = Hints(titles_too=titles_too)
            report = self._library.add([*map(str, stored), *looked_up], meter, hints, meter.stage)
            self._forget_unread(stored)
            return report

        yield from self._told(work)

    def add_starter(self) -> Iterator[Told]:
        """The starter library."""

        def work(tell: Callable[[_Step], None]) -> IndexReport:
            meter = _Meter(tell)
            meter.stage("embedding")
            return self._library.add_starter(meter)

        yield from self._told(work)

    def take_out(self, sources: Sequence[str]) -> str:
        """Forgets these sources, their files in the home too; HTML of what came of it."""
        try:
            gone = sum(self._library.remove(name) for name in sources)
        except IndexingError as error:
            return notice_html(str(error))
        for name in sources:
            if Path(name).parent == (self._library.home / FOLDER).resolve():
                Path(name).unlink(missing_ok=True)
        left = self._library.catalogue.count()
        return f'<div class="pa-report" role="status"><p>Taken out: {gone:,} papers. The library has {left:,} papers.</p></div>'

    def _told(self, work: Callable[[Callable[[_Step], None]], IndexReport]) -> Iterator[Told]:
        """Each step, at last the report with the sources that were not there before."""
        before = self._names_of_sources()
        for told in _steps(work):
            yield told, sorted(self._names_of_sources() - before)

    def _names_of_sources(self) -> set[str]:
        return {source.name for source, _ in self._library.catalogue.sources()}

    def _stored(self, name: str, content: bytes) -> Path:
        """A file of the home with this content: the one that is there already, else a new one; no other is ever replaced."""
        folder = self._library.home / FOLDER
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
            for path in _names(folder, name):
                if not path.exists():
                    path.touch(mode=0o600, exist_ok=False)
                    path.write_bytes(content)
                    return path
                if path.stat().st_size == len(content) and path.read_bytes() == content:
                    return path
        except OSError as error:
            raise IndexingError(f"{folder}: cannot be written ({error.strerror}): check the disk's space and permissions") from error
        raise AssertionError("names never end")

    def _forget_unread(self, stored: Sequence[Path]) -> None:
        """Files in which no papers were found need not be kept."""
        known = self._names_of_sources()
        for path in stored:
            if str(path.resolve()) not in known:
                path.unlink(missing_ok=True)


def services_of(text: str) -> list[str]:
    """What a text that holds nothing but arXiv ids and DOIs, bare or as links, is looked up as; nothing for any other text."""
    words = [word for word in re.split(r"[\s,;]+", text) if word]
    arxiv = [found[1] for word in words if (found := _ARXIV.fullmatch(word))]
    dois = [found[1] for word in words if (found := _DOI.fullmatch(word))]
    if not words or len(words) > _MOST_IDS or len(arxiv) + len(dois) < len(words):
        return []
    return ([f"arxiv:{','.join(arxiv)}"] if arxiv else []) + ([f"openalex:{' '.join(dois)}"] if dois else [])


def report_html(report: IndexReport, folder: str = FOLDER) -> str:
    """What was read, joined, skipped and why."""
    counts = [
        (report.new, "new"),
        (report.changed, "changed by what was read"),
        (report.unchanged, "known already"),
        (report.seen_before, "joined with papers of other files"),
    ]
    told = ", ".join(f"<b>{count:,}</b> {words}" for count, words in counts if count) or "nothing new"
    head = f"{report.read:,} record{'' if report.read == 1 else 's'} read: {told}. The library has {report.papers:,} papers."
    lines = [(error.source, error.line, error.reason) for error in report.failed]
    lines += [(one.source, one.line, one.reason.replace(_TITLES_TOO, _BOX)) for one in report.skipped]
    lines = list(dict.fromkeys(lines))
    skipped = "".join(f"<li>{_where(source, line)}{escape(reason)}</li>" for source, line, reason in lines[:_MOST_SKIPPED])
    more = f"<li>and {len(lines) - _MOST_SKIPPED:,} more</li>" if len(lines) > _MOST_SKIPPED else ""
    notes = "".join(f"<li>{_where(note.source, None)}{escape(note.text)}</li>" for note in report.notes)
    return (
        f'<div class="pa-report" role="status"><p>{head}</p>'
        + (f"<h3>Not taken, and why</h3><ul>{skipped}{more}</ul>" if lines else "")
        + (f"<h3>How files were read</h3><ul>{notes}</ul>" if notes else "")
        + "</div>"
    )


_Step = tuple[str, int, int, float]
"""Stage, papers done, papers in all, seconds of the stage so far."""


class _Meter:
    """Tells stages and counts as `Library.add` gives them."""

    def __init__(self, tell: Callable[[_Step], None]) -> None:
        self._tell = tell
        self._stage = "reading"
        self._began = time.monotonic()

    def stage(self, name: str) -> None:
        self._stage, self._began = name, time.monotonic()
        self._tell((name, 0, 0, 0.0))

    def __call__(self, done: int, total: int) -> None:
        self._tell((self._stage, done, total, time.monotonic() - self._began))


def _steps(work: Callable[[Callable[[_Step], None]], IndexReport]) -> Iterator[str]:
    """HTML of each step, at last of the report, or of why there is none."""
    steps: SimpleQueue[_Step] = SimpleQueue()
    yield _progress_html(("reading", 0, 0, 0.0))
    try:
        for report in called(lambda: work(steps.put), _PULSE_SECONDS):
            if report is not None:
                yield report_html(report)
                return
            last = None
            while not steps.empty():
                last = steps.get()
            if last is not None:
                yield _progress_html(last)
    except IndexingError as error:
        yield notice_html(str(error))
    except Exception as error:  # the last edge: told to the reader here, in full on the terminal
        log.exception("the papers could not be added")
        yield notice_html(f"The program failed on this ({error or type(error).__name__}). The terminal it runs in says more.")


def _progress_html(step: _Step) -> str:
    stage, done, total, seconds = step
    rate = f", {done / seconds:,.0f} papers a second" if done and seconds > 0.5 else ""
    counted = f": {done:,} of {total:,} papers{rate}" if total else " …"
    share = f'<div class="pa-meter" role="img" aria-label="{done} of {total}">' + _bar(done, total) + "</div>" if total else ""
    return f'<div class="pa-report"><p>{escape(stage.capitalize())}{counted}</p>{share}</div>'


def _bar(done: int, total: int) -> str:
    return f'<span style="width: {min(100, 100 * done // max(total, 1))}%"></span>'


def _where(source: str, line: int | None) -> str:
    name = source.replace("\\", "/").rsplit("/", 1)[-1]
    return f"<b>{escape(name)}</b>{f', line {line}' if line else ''}: "


def _names(folder: Path, name: str) -> Generator[Path, None, None]:
    """`refs.bib`, `refs-2.bib`, … in the folder, whatever the name tries."""
    plain = re.sub(r"[^\w.\- ()]+", "_", name.replace("\\", "/").rsplit("/", 1)[-1]).strip(" .") or "papers.txt"
    stem, dot, ending = plain[-_LONGEST_NAME:].partition(".")
    yield folder / f"{stem}{dot}{ending}"
    number = 2
    while True:
        yield folder / f"{stem or 'papers'}-{number}{dot}{ending}"
        number += 1
