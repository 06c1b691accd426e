from __future__ import annotations

import gzip
import os
from pathlib import Path

import pytest

from index import SourceError
from index.sources import FORMATS, expand, read_source

LISTING = "Get trending papers in your email inbox!\nGravel\nIt saves memory. It is fast.\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two listings, one deeper and in capitals; what else a folder may hold beside them."""
    folder = tmp_path / "papers"
    (folder / "more").mkdir(parents=True)
    (folder / ".git").mkdir()
    for name in ("b.txt", "more/A.TXT", ".git/hidden.txt", ".hidden.txt", "notes.md"):
        (folder / name).write_text(LISTING)
    return folder


def names(pattern: str) -> list[str]:
    return [file.name for file in expand(pattern)]


# What is found


def test_a_file_is_itself_whatever_its_ending(folder: Path) -> None:
    assert expand(str(folder / "notes.md")) == [folder / "notes.md"]


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
    assert expand("b.txt") == expand("~/b.txt") == [folder / "b.txt"]


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


def test_a_folder_without_a_listing_is_said(tmp_path: Path) -> None:
    (tmp_path / "image.png").touch()
    with pytest.raises(SourceError, match=r"holds no file that could be a listing \(.*\.txt\): save listing pages into it as text"):
        expand(str(tmp_path))


@pytest.mark.parametrize(
    ("data", "reason", "line"),
    [
        (b"", "the file is empty: save the listing page again", None),
        (b" \r\n\t\n", "the file is empty: save the listing page again", None),
        (b"%PDF-1.7\n%\xe2\xe3", "this is a PDF; only text is read: save the listing page as text (.txt) and index that", None),
        (b"PK\x03\x04rest", "this is a zip archive or an office document: save it as plain text (.txt)", None),
        (gzip.compress(LISTING.encode()), "this is gzip-compressed: unpack it first", None),
        (LISTING.encode("utf-16"), "this is UTF-16 text: save it as UTF-8", None),
        (b"one\ntwo\n\0\x01\x02", "this is a binary file: save the listing page as text (.txt)", 3),
        (b"one\ncaf\xe9\n", "this is not UTF-8 text: save it as UTF-8", 2),
        (b"<!DOCTYPE html>\n<html>", "this is a web page's HTML: save the page as text (.txt) and index that", 1),
        (b"\n<!-- saved from url=x -->\n<html>", "this is a web page's HTML: save the page as text (.txt) and index that", 1),
        (b'<?xml version="1.0"?>\n<html xmlns="x">', "this is a web page's HTML: save the page as text (.txt) and index that", 1),
        (
            b"only one line",
            "no paper found: a listing has a title on one line and its abstract on the next; "
            "line 1: no abstract follows the title “only one line”; formats read are " + ", ".join(known.name for known in FORMATS),
            None,
        ),
    ],
)
def test_a_file_that_cannot_be_read_as_a_listing_is_said_with_place_and_way_out(
    tmp_path: Path, data: bytes, reason: str, line: int | None
) -> None:
    file = tmp_path / "page.txt"
    file.write_bytes(data)
    with pytest.raises(SourceError) as caught:
        read_source(file)
    assert (caught.value.source, caught.value.reason, caught.value.line) == (str(file), reason, line)
    assert str(caught.value) == f"{file}{f', line {line}' if line else ''}: {reason}"


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
