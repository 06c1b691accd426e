"""Runs a serving command in a process of its own, on a free port."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx

from tests.conftest import ROOT
from tests.ui.ports import free_port

KEY = "a-key-for-tests-only"


def serving(command: str, *options: str, **environment: str) -> Iterator[str]:
    """The base address of `assistant COMMAND` once it answers; ended afterwards."""
    port = free_port()
    whole = [sys.executable, "-m", "assistant", command, "--port", str(port), *options]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", **environment}
    server = subprocess.Popen(whole, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(server, address)
        yield address
    finally:
        server.terminate()
        printed, _ = server.communicate(timeout=30)
    assert printed == "", "a server printed on stdout"


def _wait(server: subprocess.Popen[str], address: str) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        try:
            httpx.get(f"{address}/health", trust_env=False)
            return
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError(f"the server did not start (status {server.poll()})")
