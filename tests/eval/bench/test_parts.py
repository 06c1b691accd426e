"""Every part over a tiny library, through the command. No time is asserted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from eval.cli import app
from tests.conftest import LISTINGS

FEW = "--count 2 --rounds 1 --papers 2 --sizes 20,40".split()


def measured(tmp_path: Path, part: str) -> dict[str, Any]:
    out = tmp_path / "out.json"
    ran = CliRunner().invoke(
        app, ["bench", "--source", str(LISTINGS), "--parts", part, *FEW, "--report", str(tmp_path), "--json", str(out)]
    )
    assert ran.exit_code == 0, ran.output
    (found,) = json.loads(out.read_text())["parts"]
    assert found["name"] == part and all(one["value"] > 0 for one in (*found["rows"], *found["ratios"]))
    assert found["machine"]["versions"]["chromadb"] and f"## {found['title']}" in (tmp_path / "bench.md").read_text()
    return found  # type: ignore[no-any-return]


def test_a_warm_search_is_measured(tmp_path: Path) -> None:
    assert [one["wanted"] for one in measured(tmp_path, "search")["ratios"]] == [1.5]


@pytest.mark.long
@pytest.mark.parametrize("part", ["answer", "cold", "ingest"])
def test_a_part_is_measured(tmp_path: Path, part: str) -> None:
    assert measured(tmp_path, part)["rows"]


@pytest.mark.long
def test_growth_is_measured_and_drawn(tmp_path: Path) -> None:
    found = measured(tmp_path, "growth")
    assert found["settings"]["sizes"] == [20, 40] and "<svg" in (tmp_path / "growth.svg").read_text()
