"""How long the chat page takes: from starting the command to the first text that a reader sees, and from sending a
question to its answer.

In a headless Chromium, driven by Playwright (the extra `dev`). Without one, the part says so.
"""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from eval.bench.commands import BenchError
from eval.bench.figures import Part, Row
from eval.bench.plan import Plan

_PATIENCE = 120.0
_FLAGS = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking".split()
_READY = "#pa-chat .example"
_REPLY = "#pa-chat .bot-row :is(.pa-foot, .pa-declined, .pa-notice)"
_VISIBLE = "() => document.body !== null && document.body.innerText.trim().length > 0"


def measure(plan: Plan) -> Part:
    """Starts `assistant ui` and opens it; then opens it again."""
    title = "The chat page"
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        return Part("page", title, {}, notes=('Not measured: no Playwright here: pip install -e ".[dev]"',))
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(args=_FLAGS, executable_path=_chromium())
            try:
                rows = _rows(plan, browser)
            finally:
                browser.close()
    except Error as error:
        return Part("page", title, {}, notes=(f"Not measured: {str(error).splitlines()[0]}",))
    return Part("page", title, {"openings": plan.rounds + 1}, rows=rows)


def _chromium() -> str | None:
    """The system's, where there is one; else Playwright's own."""
    return next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)


def _rows(plan: Plan, browser: Any) -> tuple[Row, ...]:
    port = _free_port()
    started = time.perf_counter()
    arguments = [sys.executable, "-m", "assistant", "ui", "--home", str(plan.home), "--port", str(port)]
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "NO_PROXY": "127.0.0.1"})
    try:
        _wait(lambda: _listens(port), process)
        served = time.perf_counter() - started
        first = _first_text(browser, port)
        shown = time.perf_counter() - started
        again = [_first_text(browser, port) for _ in range(plan.rounds)]
        answered = _answers(browser, port, plan.questions[: plan.rounds])
    finally:
        process.terminate()
        process.wait(30)
    return (
        Row("command to the port open", served, "s"),
        Row("command to the first visible text", shown, "s"),
        Row("opening the page: first visible text", first, "s"),
        Row("opening it again: first visible text", statistics.median(again), "s"),
        Row("asking: the answer shown", statistics.median(answered), "s"),
    )


def _answers(browser: Any, port: int, questions: Sequence[str]) -> list[float]:
    """For each question, in a chat of its own, the seconds from sending it to its answer, the first of all not counted."""
    page = browser.new_page()
    taken = []
    for question in (questions[0], *questions):
        page.goto(f"http://127.0.0.1:{port}", timeout=1000 * _PATIENCE)
        page.locator(_READY).first.wait_for(timeout=1000 * _PATIENCE)
        box = page.get_by_role("textbox", name="Your question")
        box.fill(question)
        started = time.perf_counter()
        box.press("Enter")
        page.locator(_REPLY).first.wait_for(timeout=1000 * _PATIENCE)
        taken.append(time.perf_counter() - started)
    page.close()
    return taken[1:]


def _first_text(browser: Any, port: int) -> float:
    page = browser.new_page()
    started = time.perf_counter()
    page.goto(f"http://127.0.0.1:{port}", wait_until="commit", timeout=1000 * _PATIENCE)
    page.wait_for_function(_VISIBLE, timeout=1000 * _PATIENCE)
    taken = time.perf_counter() - started
    page.close()
    return taken


def _wait(ready: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    until = time.perf_counter() + _PATIENCE
    while not ready():
        if process.poll() is not None or time.perf_counter() > until:
            raise BenchError("the chat page did not start: try `assistant ui` to see why")
        time.sleep(0.02)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
