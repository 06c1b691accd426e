from __future__ import annotations

import contextlib
import gzip
import os
import socket
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from index import SourceError
from index.sources import Format, Hints, Parsed, expand, gather, read_source, registry

BANNER = "Get trending papers in your email inbox!\n"
LISTING = BANNER + "Gravel\nIt saves memory. It is fast.\n"
OTHER = BANNER + "Sand\nIt is soft. It is warm.\n"
ACCENTED = BANNER + "Ørsted’s café\nIt is naïve. It is “fast”.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two listings, one deeper and in capitals; what else a folder may hold beside them."""
    folder = tmp_path / "papers"
    (folder / "more").mkdir(parents=True)
    (folder / ".git").mkdir()
    for name in ("b.txt", "more/A.TXT", ".git/hidden.txt", ".hidden.txt", "notes.rst"):
        (folder / name).write_text(LISTING)
    return folder


def names(pattern: str) -> list[str]:
    return [file.name for file in expand(pattern).files]


# What is found


def test_a_file_is_itself_whatever_its_ending(folder: Path) -> None:
    assert expand(str(folder / "notes.rst")).files == (folder / "notes.rst",)


def test_a_folder_means_its_text_files_at_any_depth_but_hidden_ones(folder: Path) -> None:
    assert names(str(folder)) == ["b.txt", "A.TXT"]


def test_a_glob_means_what_it_matches_folders_with_all_they_hold(folder: Path) -> None:
    assert names(str(folder / "*.txt")) == ["b.txt"]
    assert names(str(folder / "**" / "*.TXT")) == ["A.TXT"]
    assert names(str(folder.parent / "pap*")) == ["b.txt", "A.TXT"]


def test_a_file_reached_twice_is_found_once(folder: Path) -> None:
    (folder / "link.txt").symlink_to(folder / "b.txt")
    assert names(str(folder)) == ["b.txt", "A.TXT"]
    assert names(str(folder / "**")).count("A.TXT") == 1


def test_a_name_with_glob_characters_is_a_file_first(folder: Path) -> None:
    (folder / "[1].txt").write_text(LISTING)
    assert names(str(folder / "[1].txt")) == ["[1].txt"]


def test_paths_are_absolute_and_the_users_folder_is_known(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder))
    assert expand("b.txt").files == expand("~/b.txt").files == (folder / "b.txt",)


# What is refused


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("missing.txt", "there is no such file or folder: check the path"),
        ("missing/*.txt", "nothing matches this pattern: check the path"),
        ("x" * 5000, "this cannot be a file or folder"),
        ("~nobody-of-that-name/x", "this cannot be a file or folder"),
    ],
)
def test_what_is_not_there_is_said(pattern: str, reason: str) -> None:
    with pytest.raises(SourceError, match=reason) as caught:
        expand(pattern)
    assert caught.value.source == pattern


def test_a_folder_without_a_listing_is_said_with_what_it_holds(tmp_path: Path) -> None:
    (tmp_path / "image.png").touch()
    with pytest.raises(
        SourceError, match=r"holds no file that could hold papers \(.*\.txt.*\); it holds 1 file of other kinds \(\.png 1\)"
    ):
        expand(str(tmp_path))


def test_what_a_folder_holds_beside_is_counted_in_one_line(folder: Path) -> None:
    (folder / "notes.rst").unlink()
    for name in ("a.pdf", "b.PDF", "c.docx", "README", "papers.txt.gz"):
        (folder / name).touch()
    found = expand(str(folder))
    assert [file.name for file in found.files] == ["b.txt", "A.TXT", "papers.txt.gz"]
    assert found.left_out.startswith("4 files of other kinds (.pdf 2, ")
    assert ".docx 1" in found.left_out and "without an ending 1" in found.left_out


@pytest.mark.parametrize("pattern", ["https://example.org/x.bib", "pubmed:gravel"])
def test_what_is_not_fetched_is_said(pattern: str) -> None:
    with pytest.raises(SourceError, match=r"web addresses are not fetched|services are arxiv:.*zotero:"):
        expand(pattern)


@pytest.mark.parametrize(
    ("data", "reason", "line"),
    [
        (b"", "the file is empty: save or export it again", None),
        (b" \r\n\t\n", "the file is empty: save or export it again", None),
        (b"%PDF-1.7\n%\xe2\xe3", "this is a PDF: papers are read from lists", None),
        (b"PK\x03\x04rest", "this is a zip archive or an office document: unpack it", None),
        (gzip.compress(gzip.compress(LISTING.encode(), mtime=0), mtime=0), "this is gzip within gzip: unpack it once", None),
        (gzip.compress(LISTING.encode(), mtime=0)[:-12], "the gzip file is cut off: pack or download it again", None),
        (gzip.compress(LISTING.encode(), mtime=0)[:-8] + b"\xff" * 8, "the gzip file is damaged", None),
        (gzip.compress(b"%PDF-1.7", mtime=0), "this is a PDF", None),
        (LISTING.encode("utf-16") + b"\x00\xd8\x20\x00", "this is UTF-16 text, damaged here", 4),
        (b"one\ntwo\n\0\x01\x02", "this is a binary file: papers are read from text", 3),
        (b"<!DOCTYPE html>\n<html>", "this is a web page on which no list of papers is known: ", None),
        (b"\n<!-- saved from url=x -->\n<html>", "this is a web page on which no list of papers is known: ", None),
        (b'<?xml version="1.0"?>\n<html xmlns="x">', "this is a web page on which no list of papers is known: ", None),
        (b"<p>Gravel</p>\n<p>It is cheap.</p>", "this looks like XML or HTML, but cannot be read as such: ", None),
        (b'<?xml version="1.0"?>\n<records><title>x</title></records>', "this looks like XML of a kind that is not read (<records>)", None),
        (b"1. Stones. 2020;1.\n\nOn gravel.\n\nIt is so.\n\nPMID: 123\n", "this looks like PubMed's text: choose the format", None),
        (b"\\\\\narXiv:2401.01234\nTitle: On gravel\n\\\\\n  It is so.\n", "this looks like arXiv's mail: name its papers", None),
        (
            b"only one line",
            "no paper found: a listing has a title on one line and its abstract on the next; line 1: no abstract follows",
            None,
        ),
    ],
)
def test_a_file_that_cannot_be_read_is_said_with_place_and_way_out(tmp_path: Path, data: bytes, reason: str, line: int | None) -> None:
    file = tmp_path / "page.txt"
    file.write_bytes(data)
    with pytest.raises(SourceError) as caught:
        read_source(file)
    assert caught.value.reason.startswith(reason)
    assert str(caught.value) == f"{file}{f', line {caught.value.line}' if caught.value.line else ''}: {caught.value.reason}"
    assert line is None or caught.value.line == line


@pytest.mark.timeout(20)
def test_a_named_pipe_a_socket_and_a_device_are_refused_without_waiting_for_them(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(str(tmp_path / "s.txt"))
        for path, said in (
            (tmp_path / "pipe.txt", "a named pipe"),
            (tmp_path / "s.txt", "cannot be read"),
            (Path("/dev/zero"), "a device"),
        ):
            with pytest.raises(SourceError, match=said):
                read_source(path)
    with pytest.raises(SourceError, match="the folder holds no file"):
        expand(str(tmp_path))


@pytest.mark.timeout(20)
def test_a_bomb_is_refused_before_it_is_large(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.txt"
    packer = zlib.compressobj(9, wbits=31)
    with bomb.open("wb") as file:
        for _ in range(100):
            file.write(packer.compress(b"\n" * 2**20))
        file.write(packer.flush())
    assert bomb.stat().st_size < 2**18
    with pytest.raises(SourceError, match="unpacks to more than 200 times its size"):
        read_source(bomb)


# What is read


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_is_read_in_every_unicode_encoding_plain_or_packed(tmp_path: Path, encoding: str, packed: bool) -> None:
    data = ACCENTED.encode(encoding)
    (tmp_path / "page").write_bytes(gzip.compress(data) if packed else data)
    parsed = read_source(tmp_path / "page")
    assert [(entry.title, entry.abstract) for entry in parsed.entries] == [("Ørsted’s café", "It is naïve. It is “fast”.")]
    assert parsed.notes == ()


@pytest.mark.parametrize("end", ["\r\n", "\r", "\r\r\n"])
def test_every_kind_of_line_end_is_one(tmp_path: Path, end: str) -> None:
    text = "@article{a,\n title={On gravel},\n year=2020}\n@article{b,\n title={On sand}}\n"
    (tmp_path / "x.bib").write_bytes(text.replace("\n", end).encode())
    found = read_source(tmp_path / "x.bib").without_abstract
    assert [(entry.title, entry.line) for entry in found] == [("On gravel", 1), ("On sand", 4)]


def test_gzip_of_several_members_is_one_text(tmp_path: Path) -> None:
    (tmp_path / "page.gz").write_bytes(gzip.compress(LISTING.encode()) + gzip.compress(OTHER.encode()))
    assert [entry.title for entry in read_source(tmp_path / "page.gz").entries] == ["Gravel", "Sand"]


def test_lines_that_are_not_utf8_are_read_as_western_europes_and_told(tmp_path: Path) -> None:
    (tmp_path / "page").write_bytes(ACCENTED.encode("cp1252") + OTHER.encode())
    parsed = read_source(tmp_path / "page")
    assert [entry.title for entry in parsed.entries] == ["Ørsted’s café", "Sand"]
    assert parsed.notes == (
        "2 lines, the first of them line 2, are not UTF-8 and were read as cp1252: if letters look wrong, save the file as UTF-8",
    )


def test_two_encodings_in_one_file_are_both_right(tmp_path: Path) -> None:
    (tmp_path / "page").write_bytes(ACCENTED.encode() + "Säure\nIt is sour. It is naïve.\n".encode("cp1252"))
    assert [entry.title for entry in read_source(tmp_path / "page").entries] == ["Ørsted’s café", "Säure"]


def test_another_script_is_guessed_by_its_bytes_and_told(tmp_path: Path) -> None:
    text = BANNER + "Обучение глубоких сетей\nМы предлагаем новый способ обучения нейронных сетей. Он быстрее прежних.\n"
    (tmp_path / "page").write_bytes(text.encode("cp1251"))
    parsed = read_source(tmp_path / "page")
    assert parsed.entries[0].title == "Обучение глубоких сетей"
    assert "read as cp1251" in parsed.notes[0]


def test_a_stray_nul_costs_nothing_and_is_told(tmp_path: Path) -> None:
    (tmp_path / "page").write_bytes((LISTING + OTHER).encode().replace(b"saves", b"sa\0ves"))
    parsed = read_source(tmp_path / "page")
    assert [entry.abstract for entry in parsed.entries] == ["It saves memory. It is fast.", "It is soft. It is warm."]
    assert parsed.notes == ("a control character was left out (NUL or the like), in line 3",)


@pytest.mark.timeout(20)
def test_comments_without_end_and_lines_of_megabytes_are_read_in_linear_time(tmp_path: Path) -> None:
    (tmp_path / "page").write_text("<!-- a -->\n" * 50_000 + LISTING + "<!--" * 100_000)
    with contextlib.suppress(SourceError):
        read_source(tmp_path / "page")
    (tmp_path / "long").write_text("Gravel\n" + "It saves memory. " * 600_000 + "\n")
    with pytest.raises(SourceError, match=r"line 1: too long for a title and an abstract \(6 and 10,199,999 characters\)"):
        read_source(tmp_path / "long")


# Readers that fail


def test_a_readers_fault_costs_one_file_and_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(text: str, source: str, hints: Hints = Hints()) -> Parsed:
        raise KeyError("x")

    broken = Format("Tablets", (".tab",), lambda text: text.startswith("TABLET"), fails)
    monkeypatch.setattr(registry, "FORMATS", (broken, *registry.FORMATS))
    (tmp_path / "a.tab").write_text("TABLET I\n")
    (tmp_path / "b.txt").write_text(LISTING)
    gathered = gather([str(tmp_path)])
    assert [len(parsed.entries) for _, parsed in gathered.read] == [1]
    (error,) = gathered.unread
    assert str(error) == f"{tmp_path}/a.tab: the reader for Tablets failed on it (KeyError: 'x'): please report this, with the file"
    assert "Traceback" in caplog.text


def test_a_fault_in_recognising_leaves_the_text_to_the_other_formats(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(text: str) -> bool:
        raise RecursionError

    monkeypatch.setattr(registry, "FORMATS", (replace(registry.FORMATS[-1], recognise=fails), *registry.FORMATS))
    (tmp_path / "b.txt").write_text(LISTING)
    assert len(read_source(tmp_path / "b.txt").entries) == 1
    assert "Traceback" in caplog.text


def test_a_file_that_vanished_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="the file is not there any more: check the path"):
        read_source(tmp_path / "gone.txt")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_an_unreadable_file_is_said(tmp_path: Path) -> None:
    file = tmp_path / "page.txt"
    file.write_text(LISTING)
    file.chmod(0)
    with pytest.raises(SourceError, match="the file may not be read: check its permissions"):
        read_source(file)


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"the file cannot be read \(Is a directory\)"):
        read_source(tmp_path)
