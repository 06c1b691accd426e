from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from assistant import Assistant
from assistant.serving.access import ListenError
from index import Library
from index.embedding import ToyEmbedder
from tests.conftest import LISTINGS, ROOT
from tests.ui.ports import free_port
from ui.serve import start


@pytest.fixture(scope="module")
def toy_assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    library = Library(tmp_path_factory.mktemp("served"), ToyEmbedder())
    library.add([str(LISTINGS)])
    yield Assistant(library.home, "extractive", library=library)
    library.close()


@pytest.fixture(scope="module")
def page(toy_assistant: Assistant) -> Iterator[httpx.Client]:
    """A client of the served page."""
    port = free_port()
    blocks = start(toy_assistant, "127.0.0.1", port)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
        yield client
    blocks.close(verbose=False)


def command(*arguments: str, home: Path) -> subprocess.Popen[str]:
    """`python -m ui`, running, and open to an interrupt: one that the tests run under in the background would be passed on as ignored."""
    run = "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); runpy.run_module('ui', run_name='__main__')"
    return subprocess.Popen(
        [sys.executable, "-c", run, "--home", str(home), *arguments],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "400"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_page_is_served(page: httpx.Client) -> None:
    response = page.get("/")
    assert response.status_code == 200
    assert "Paper Assistant" in response.text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example"])
def test_a_foreign_page_cannot_reach_it_under_a_name_of_its_own(page: httpx.Client, host: str) -> None:
    assert page.get("/", headers={"Host": host}).status_code == 400
    joined = page.post("/gradio_api/queue/join", json={"fn_index": 0, "data": []}, headers={"Host": host, "Origin": f"https://{host}"})
    assert joined.status_code == 400


def test_the_module_has_help_and_version() -> None:
    for option, said in (("-h", "--port"), ("--version", ".")):
        finished = subprocess.run([sys.executable, "-m", "ui", option], cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert finished.returncode == 0 and said in finished.stdout


@pytest.mark.parametrize("route", ["/gradio_api/file=", "/file=", "/gradio_api/file/"])
def test_no_file_of_this_machine_is_served(page: httpx.Client, toy_assistant: Assistant, route: str) -> None:
    home = toy_assistant.library.home
    own = home / "settings.toml"
    own.write_text("# secret\n")
    held = [Path("/etc/passwd"), Path.cwd() / "pyproject.toml", home / "catalogue.sqlite", own, ROOT / "ui" / "page.py"]
    asked = [str(path) for path in held] + ["pyproject.toml", "ui/page.py", "../../../../../../etc/passwd", "%2Fetc%2Fpasswd"]
    for path in asked:
        response = page.get(f"{route}{path}")
        assert response.status_code in {400, 403, 404, 405}, path
        assert not any(secret in response.text for secret in ("root:", "build-system", "SQLite format", "# secret", "import gradio"))
    own.unlink()


def test_no_file_can_be_left_on_this_machine(page: httpx.Client) -> None:
    before = set(Path(tempfile.gettempdir()).rglob("left-behind.txt"))
    response = page.post("/gradio_api/upload", files={"files": ("left-behind.txt", b"x" * 4096)})
    assert response.status_code >= 400
    assert set(Path(tempfile.gettempdir()).rglob("left-behind.txt")) == before


def test_telemetry_sharing_and_monitoring_are_off(page: httpx.Client) -> None:
    config = page.get("/config").json()
    assert config["analytics_enabled"] is False
    assert not config.get("run_history")
    assert config["footer_links"] == []
    assert "share_url" not in config or not config["share_url"]
    assert page.get("/monitoring").status_code >= 400 or "disabled" in page.get("/monitoring").text
    assert page.get("/gradio_api/mcp/sse").status_code == 404


def test_the_handlers_are_no_public_interface(page: httpx.Client) -> None:
    info = page.get("/gradio_api/info").json()
    assert info["named_endpoints"] == {}


def test_pages_of_other_sites_cannot_call_the_page(page: httpx.Client) -> None:
    response = page.post("/gradio_api/queue/join", json={}, headers={"Origin": "https://example.org"})
    assert "access-control-allow-origin" not in response.headers


def test_only_a_page_for_this_machine_lets_readers_name_llms(toy_assistant: Assistant) -> None:
    for host, offered in (("127.0.0.1", True), ("0.0.0.0", False)):
        port = free_port()
        blocks = start(toy_assistant, host, port)
        config = httpx.get(f"http://127.0.0.1:{port}/config", trust_env=False).text
        blocks.close(verbose=False)
        assert [f'"elem_id":"{name}"' in config for name in ("pa-llm", "pa-offers")] == [offered, offered]


def test_a_port_in_use_is_said_with_the_way_out(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        process = command("--port", str(port), home=tmp_path / "empty")
        out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out == ""
    assert err.startswith(f"error: port {port} on 127.0.0.1 is busy")
    assert "assistant ui --port" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("host", ["192.0.2.7", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_refused_in_words(toy_assistant: Assistant, host: str) -> None:
    with pytest.raises(ListenError, match="no address of this machine"):
        start(toy_assistant, host, free_port())


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_a_signal_ends_the_page_without_a_traceback(tmp_path: Path, sign: signal.Signals) -> None:
    port = free_port()
    process = command("--port", str(port), home=tmp_path / "empty")
    assert process.stderr is not None
    assert f"is on http://127.0.0.1:{port}" in process.stderr.readline()
    assert httpx.get(f"http://127.0.0.1:{port}", trust_env=False).status_code == 200
    process.send_signal(sign)
    _, err = process.communicate(timeout=30)
    assert err in {"", "Ended.\n"}
    assert process.returncode in {0, -sign}
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}", trust_env=False)


def test_an_empty_library_is_served_and_says_so(tmp_path: Path) -> None:
    library = Library(tmp_path / "empty", ToyEmbedder())
    port = free_port()
    blocks = start(Assistant(library.home, "extractive", library=library), "127.0.0.1", port)
    assert "0 papers" in httpx.get(f"http://127.0.0.1:{port}/config", trust_env=False).text
    blocks.close(verbose=False)
    library.close()
