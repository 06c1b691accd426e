from __future__ import annotations

from pathlib import Path

import pytest

from ui.users import Users, UsersError, add_user

PASSWORD = "tea at four"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    add_user(tmp_path / "users", "ada", PASSWORD)
    return tmp_path / "users"


def test_a_user_is_let_in_by_his_own_password_alone(file: Path) -> None:
    add_user(file, "bo", "other words")
    users = Users(file)
    assert users.lets_in("ada", PASSWORD) and users.lets_in("bo", "other words")
    assert not users.lets_in("ada", "other words") and not users.lets_in("cy", PASSWORD) and not users.lets_in("", "")


def test_the_file_holds_no_password_and_is_its_owners_alone(file: Path) -> None:
    assert PASSWORD not in file.read_text() and file.read_text().startswith("ada:$2b$")
    assert file.stat().st_mode & 0o077 == 0


def test_another_password_takes_the_place_of_the_old(file: Path) -> None:
    add_user(file, "ada", "new words")
    assert Users(file).lets_in("ada", "new words") and not Users(file).lets_in("ada", PASSWORD)


def test_after_five_wrong_passwords_none_is_taken_for_a_minute(file: Path) -> None:
    clock = [0.0]
    users = Users(file, now=lambda: clock[0])
    for _ in range(5):
        assert not users.lets_in("ada", "guess")
    assert not users.lets_in("ada", PASSWORD)
    clock[0] = 61.0
    assert users.lets_in("ada", PASSWORD)


@pytest.mark.parametrize(
    ("content", "words"), [("ada:plain text\n", "line 1: not NAME:HASH"), ("# nobody\n\n", "no user"), (None, "cannot be read")]
)
def test_a_file_that_is_none_is_told_with_its_line_and_the_way_out(tmp_path: Path, content: str | None, words: str) -> None:
    file = tmp_path / "users"
    if content is not None:
        file.write_text(content)
    with pytest.raises(UsersError, match=words):
        Users(file)


@pytest.mark.parametrize(("name", "password"), [("", "x"), ("a:b", "x"), (" a", "x"), ("ada", ""), ("ada", "x" * 73)])
def test_a_name_or_password_that_cannot_be_kept_is_refused(tmp_path: Path, name: str, password: str) -> None:
    with pytest.raises(UsersError):
        add_user(tmp_path / "users", name, password)
    assert not (tmp_path / "users").exists()
