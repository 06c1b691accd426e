"""Many chats at once with the page: `python -m eval.bench.chats HOME [--chats 50] [--questions 200]`.

Goes in: a home. The page is started over it as a user starts it, and asked over HTTP as a browser asks: each chat is a session of its own
whose questions, made of titles of the home's papers, follow one another in new conversations. Comes out, on stdout: answers a second, the
seconds from question to answer, how many answers speak of another chat's paper or failed, and the page's memory while it goes on.
Knows nothing of how answers are made.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import httpx
import typer

_PATIENCE_SECONDS = 600.0
_LOOKS = 10
"""At memory, evenly."""


@dataclass
class Load:
    """What came of all chats together. Shared by their threads."""

    seconds: list[float] = field(default_factory=list)
    """From question to answer, in order of the answers."""
    mixed: int = 0
    """Answers in whose conversation another chat's question stands."""
    failed: int = 0
    memory_mb: list[tuple[int, float]] = field(default_factory=list)
    """(answers so far, megabytes resident)."""
    lock: threading.Lock = field(default_factory=threading.Lock)


class Chat:
    """One session with the page."""

    def __init__(self, url: str, name: str) -> None:
        self._client = httpx.Client(base_url=url, trust_env=False, timeout=_PATIENCE_SECONDS)
        self._session = name
        config = self._client.get("/config").json()
        of = {one["id"]: one["props"].get("elem_id") for one in config["components"]}
        calls = [({(of.get(at), kind) for at, kind in one["targets"]}, one["id"]) for one in config["dependencies"] if one["outputs"]]
        self._ask = next(call for targets, call in calls if ("pa-question", "submit") in targets)
        self._fresh = next(call for targets, call in calls if ("pa-new", "click") in targets)

    def asked(self, question: str) -> str:
        """The conversation as the page shows it when the question has its answer. Raises `httpx.HTTPError` or `RuntimeError`."""
        self._call(self._ask, [None, question, None])
        shown = self._last
        self._client.post("/gradio_api/run/predict", json={"fn_index": self._fresh, "data": [None], "session_hash": self._session})
        return shown

    def _call(self, call: int, data: Sequence[Any]) -> None:
        body = {"fn_index": call, "data": data, "session_hash": self._session, "event_data": None, "trigger_id": None}
        self._client.post("/gradio_api/queue/join", json=body).raise_for_status()
        self._last = ""
        for message in self._messages():
            if message["msg"] in ("process_generating", "process_completed"):
                self._last += json.dumps(message["output"])
            if message["msg"] == "process_completed":
                if not message["success"]:
                    raise RuntimeError(str(message["output"]))
                return
        raise RuntimeError("the stream ended before the answer")

    def _messages(self) -> Iterator[dict[str, Any]]:
        with self._client.stream("GET", "/gradio_api/queue/data", params={"session_hash": self._session}) as stream:
            for line in stream.iter_lines():
                if line.startswith("data: "):
                    yield json.loads(line.removeprefix("data: "))


def measure(home: Path, chats: int, questions: int) -> Load:
    """Starts the page over a home and asks it so many questions, by so many chats at once."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    page = subprocess.Popen([sys.executable, "-m", "ui", "--home", str(home), "--port", str(port)], stderr=subprocess.PIPE, text=True)
    try:
        assert page.stderr is not None
        if "is on" not in (told := page.stderr.readline()):
            raise RuntimeError(told + page.stderr.read())
        titles = _titles(home)
        load = Load()
        threads = [
            threading.Thread(target=_chat, args=(f"http://127.0.0.1:{port}", number, titles, questions // chats, load))
            for number in range(chats)
        ]
        for thread in threads:
            thread.start()
        _look(page.pid, threads, questions, load)
        return load
    finally:
        page.terminate()
        page.wait()


def _chat(url: str, number: int, titles: Sequence[str], questions: int, load: Load) -> None:
    chat = Chat(url, f"bench-{number}")
    for turn in range(questions):
        title = titles[(number * questions + turn) % len(titles)]
        question, started = f"In chat {number}: what does “{title}” find?", time.monotonic()
        try:
            shown = chat.asked(question)
        except (httpx.HTTPError, RuntimeError) as error:
            typer.echo(f"chat {number}: {error}", err=True)
            shown = ""
        with load.lock:
            load.seconds.append(time.monotonic() - started)
            load.failed += "pa-foot" not in shown
            load.mixed += bool(set(re.findall(r"pa-question\W+In chat (\d+)", shown)) - {str(number)})


def _titles(home: Path) -> list[str]:
    listed = subprocess.run(
        [sys.executable, "-m", "assistant", "papers", "--home", str(home), "--json"], capture_output=True, text=True, check=True
    )
    return [paper["display_title"] for paper in json.loads(listed.stdout)]


def _look(process: int, threads: Sequence[threading.Thread], questions: int, load: Load) -> None:
    due = 0
    while any(thread.is_alive() for thread in threads):
        if len(load.seconds) >= due:
            load.memory_mb.append((len(load.seconds), _resident_mb(process)))
            due = len(load.seconds) + max(1, questions // _LOOKS)
        time.sleep(0.5)
    load.memory_mb.append((len(load.seconds), _resident_mb(process)))


def _resident_mb(process: int) -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("home", type=Path)
    parser.add_argument("--chats", type=int, default=50)
    parser.add_argument("--questions", type=int, default=200, help="in all")
    wanted = parser.parse_args()
    started = time.monotonic()
    load = measure(wanted.home, wanted.chats, wanted.questions)
    took = time.monotonic() - started
    late = quantiles(load.seconds, n=20)[-1] if len(load.seconds) > 1 else load.seconds[0]
    typer.echo(f"{len(load.seconds)} answers of {wanted.chats} chats: {load.failed} failed, {load.mixed} mixed")
    typer.echo(f"{len(load.seconds) / took:.1f} answers a second; p50 {median(load.seconds):.1f} s, p95 {late:.1f} s")
    typer.echo("resident memory: " + ", ".join(f"{megabytes:.0f} MB after {answers}" for answers, megabytes in load.memory_mb))


if __name__ == "__main__":
    main()
