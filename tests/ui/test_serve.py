from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from assistant import Assistant
from assistant.serving.access import ListenError
from index import Library
from index.embedding import ToyEmbedder
from tests.conftest import LISTINGS, ROOT
from tests.ui.ports import free_port
from ui.serve import Access, start
from ui.users import add_user


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
    served = start(toy_assistant, "127.0.0.1", port)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
        yield client
    served.close()


def command(*arguments: str, home: Path, environment: Mapping[str, str] = MappingProxyType({})) -> subprocess.Popen[str]:
    """`python -m ui`, running, and open to an interrupt: one that the tests run under in the background would be passed on as ignored."""
    run = "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); runpy.run_module('ui', run_name='__main__')"
    return subprocess.Popen(
        [sys.executable, "-c", run, "--home", str(home), *arguments],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "400", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_api_answers_beside_the_page_on_the_same_port(page: httpx.Client) -> None:
    asked = {"model": "paper-assistant", "messages": [{"role": "user", "content": "How does TideCache cut time to first token?"}]}
    said = page.post("/v1/chat/completions", json=asked).json()
    assert "TideCache" in said["choices"][0]["message"]["content"]
    assert page.get("/health").json()["status"] == "ok"
    assert "/v1/answer" in page.get("/openapi.json").json()["paths"]
    foreign = page.post("/v1/answer", json={"question": "Why?"}, headers={"Origin": "http://evil.example"})
    assert foreign.status_code == 403


def test_the_api_is_not_there_where_it_would_go_round_the_login(
    toy_assistant: Assistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    users = tmp_path / "users"
    add_user(users, "kei", "a long password")
    port = free_port()
    for keys, status in (("", 401), ("a-key-for-tests", 200)):
        monkeypatch.setenv("ASSISTANT_API_KEY", keys)
        served = start(toy_assistant, "127.0.0.1", port, Access(users=users))
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
            found = client.get("/v1/sources", headers={"Authorization": "Bearer a-key-for-tests"})
            without = client.get("/v1/sources")
        served.close()
        assert (found.status_code == 200) == (status == 200) and without.status_code != 200


def test_the_page_is_served(page: httpx.Client) -> None:
    response = page.get("/")
    assert response.status_code == 200
    assert "Paper Assistant" in response.text


@pytest.mark.parametrize("host", ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "127.0.0.1@evil.example", ""])
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


def test_an_upload_is_named_and_sized_by_the_page_and_gone_when_the_page_ends(
    toy_assistant: Assistant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # where no other page of these tests puts its own
    port = free_port()
    served = start(toy_assistant, "127.0.0.1", port)
    [uploads] = tmp_path.glob("paper-assistant-*")
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
        [path] = client.post("/gradio_api/upload", files={"files": ("../../../left-behind.bib", b"x" * 4096)}).json()
    assert uploads in Path(path).parents and Path(path).name == "left-behind.bib"
    assert uploads.stat().st_mode & 0o077 == 0
    served.close()
    assert not uploads.exists()


def test_an_upload_larger_than_the_limit_is_refused(toy_assistant: Assistant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ui.adding.MOST_BYTES", 1000)
    port = free_port()
    served = start(toy_assistant, "127.0.0.1", port)
    response = httpx.post(f"http://127.0.0.1:{port}/gradio_api/upload", files={"files": ("a.bib", b"x" * 4096)}, trust_env=False)
    assert response.status_code == 413
    served.close()


def test_telemetry_sharing_and_monitoring_are_off(page: httpx.Client) -> None:
    config = page.get("/config").json()
    assert config["analytics_enabled"] is False
    assert not config.get("run_history")
    assert config["footer_links"] == []
    assert "share_url" not in config or not config["share_url"]
    assert page.get("/monitoring").status_code >= 400 or "disabled" in page.get("/monitoring").text
    assert page.get("/gradio_api/mcp/sse").status_code == 404


def test_only_answer_and_search_are_for_programs(page: httpx.Client) -> None:
    info = page.get("/gradio_api/info").json()
    assert set(info["named_endpoints"]) == {"/answer", "/search"} and not info["unnamed_endpoints"]
    assert page.get("/health").json() == {"status": "ok"}


def test_programs_ask_and_search_by_name(page: httpx.Client, toy_assistant: Assistant) -> None:
    client = Client(str(page.base_url), verbose=False, httpx_kwargs={"trust_env": False})
    told = client.predict("What does TideCache cut, and by how much?", api_name="/answer")
    assert told["answered"] and told["citations"][0]["title"].startswith("TideCache")
    found = client.predict("videos", k=2, api_name="/search")
    assert [set(paper) for paper in found] == [{"paper_id", "title", "display_title", "score", "date", "url"}] * 2
    only = client.predict("What does TideCache cut, and by how much?", papers=[found[0]["paper_id"]], api_name="/answer")
    assert {paper["paper_id"] for paper in only["retrieved"]} <= {found[0]["paper_id"]}
    with pytest.raises(AppError, match="question"):
        client.predict(" ", api_name="/answer")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://example.org"},
        {"Origin": "http://127.0.0.1:1"},
        {"Origin": "http://localhost"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/config"), ("POST", "/gradio_api/queue/join"), ("POST", "/gradio_api/upload")])
def test_other_pages_cannot_call_the_page(page: httpx.Client, headers: dict[str, str], method: str, path: str) -> None:
    response = page.request(method, path, content=b"{}", headers=headers)
    assert response.status_code == 403
    assert "access-control-allow-origin" not in response.headers


def test_a_link_from_another_page_and_its_own_requests_are_let_through(page: httpx.Client) -> None:
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert page.get("/", headers=followed).status_code == 200
    assert page.get("/config", headers={"Origin": f"http://{page.base_url.netloc.decode()}"}).status_code == 200


def test_every_answer_forbids_framing_and_foreign_content(page: httpx.Client) -> None:
    for path in ("/", "/config", "/no-such-page"):
        headers = page.get(path).headers
        assert headers["x-frame-options"] == "DENY" and headers["x-content-type-options"] == "nosniff"
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy and "default-src 'self'" in policy and "http" not in policy


def test_what_is_named_by_its_content_is_asked_for_once(page: httpx.Client) -> None:
    document = page.get("/")
    [script, *_] = re.findall(r"\./(assets/[^\"']+\.js)", document.text)
    assert "immutable" in page.get(f"/{script}").headers["cache-control"]
    assert "immutable" not in document.headers.get("cache-control", "")


def test_scripts_in_the_document_run_by_a_nonce_of_this_answer_alone(page: httpx.Client) -> None:
    nonces = set()
    for _ in range(2):
        response = page.get("/")
        [nonce] = re.findall(r"'nonce-([^']+)'", response.headers["content-security-policy"])
        assert f'<script nonce="{nonce}"' in response.text and not re.search(r"<script(?! nonce)", response.text)
        assert "unsafe-inline" not in response.headers["content-security-policy"].partition("script-src")[2].partition(";")[0]
        nonces.add(nonce)
    assert len(nonces) == 2


def test_an_unknown_name_is_answered_with_what_to_set(page: httpx.Client) -> None:
    response = page.get("/", headers={"Host": "papers.example"})
    assert response.status_code == 400
    assert "assistant ui --allowed-hosts papers.example" in response.text


@pytest.mark.parametrize(("host", "access"), [("0.0.0.0", Access()), ("127.0.0.1", Access(hosts=("papers.example",)))])
def test_others_reach_the_page_only_with_a_login_or_by_the_users_word(toy_assistant: Assistant, host: str, access: Access) -> None:
    with pytest.raises(ListenError, match=r"--auth FILE.*--no-auth"):
        start(toy_assistant, host, free_port(), access)


def test_behind_a_proxy_the_page_knows_its_name_and_its_path(toy_assistant: Assistant) -> None:
    port = free_port()
    served = start(toy_assistant, "127.0.0.1", port, Access(is_open=True, root_path="/papers", hosts=("papers.example",)))
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
        there = client.get("/config", headers={"Host": "papers.example", "Origin": "https://papers.example"})
        assert there.status_code == 200 and there.json()["root"].endswith("/papers")
        assert client.get("/config", headers={"Host": "papers.example", "Origin": "https://other.example"}).status_code == 403
    served.close()


def test_a_proxy_that_asks_under_its_own_name_may_say_under_which_it_was_asked_itself(toy_assistant: Assistant, page: httpx.Client) -> None:
    port = free_port()
    served = start(toy_assistant, "127.0.0.1", port, Access(is_open=True, hosts=("papers.example",)))
    asked = {"X-Forwarded-Host": "papers.example", "Origin": "https://papers.example"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
        assert client.get("/config", headers=asked).status_code == 200
        assert client.get("/config", headers={**asked, "Origin": "https://other.example"}).status_code == 403
        unknown = client.get("/", headers={"X-Forwarded-Host": "reading.example"})
        assert unknown.status_code == 400 and "--allowed-hosts papers.example,reading.example" in unknown.text
    served.close()
    assert page.get("/config", headers=asked).status_code == 403  # no proxy was spoken of


def test_with_users_nothing_is_told_before_the_login(toy_assistant: Assistant, tmp_path: Path) -> None:
    add_user(tmp_path / "users", "ada", "a long password")
    port = free_port()
    served = start(toy_assistant, "127.0.0.1", port, Access(users=tmp_path / "users"))
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=30) as client:
        assert "papers" not in client.get("/").text.partition("gradio_config")[2]
        assert client.get("/config").status_code == 401
        assert client.post("/gradio_api/upload", files={"files": ("a.bib", b"x")}).status_code == 401
        assert client.post("/login", data={"username": "ada", "password": "wrong"}).status_code == 400
        assert client.post("/login", data={"username": "ada", "password": "a long password"}).status_code == 200
        assert client.get("/config").status_code == 200
    served.close()


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:9", "socks5://127.0.0.1:9"])
def test_a_proxy_in_the_environment_gets_nothing_and_stops_nothing(tmp_path: Path, proxy: str) -> None:
    port = free_port()
    variables = dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"), proxy)
    process = command("--port", str(port), home=tmp_path / "empty", environment=variables)
    assert process.stderr is not None
    assert f"is on http://127.0.0.1:{port}" in process.stderr.readline()
    assert httpx.get(f"http://127.0.0.1:{port}", trust_env=False).status_code == 200
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)


def test_only_a_page_for_this_machine_lets_readers_name_llms_and_add_papers(toy_assistant: Assistant) -> None:
    for host, offered in (("127.0.0.1", True), ("0.0.0.0", False)):
        port = free_port()
        served = start(toy_assistant, host, port, Access(is_open=True))
        config = httpx.get(f"http://127.0.0.1:{port}/config", trust_env=False).text
        served.close()
        assert [f'"elem_id":"{name}"' in config for name in ("pa-llm-form", "pa-offers", "pa-files")] == [offered] * 3


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
        start(toy_assistant, host, free_port(), Access(is_open=True))


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_a_signal_ends_the_page_without_a_traceback(tmp_path: Path, sign: signal.Signals) -> None:
    port = free_port()
    process = command("--port", str(port), home=tmp_path / "empty")
    assert process.stderr is not None
    assert f"is on http://127.0.0.1:{port}" in process.stderr.readline()
    assert httpx.get(f"http://127.0.0.1:{port}", trust_env=False).status_code == 200
    process.send_signal(sign)
    _, err = process.communicate(timeout=60)
    assert err in {"", "Ended.\n"}
    assert process.returncode in {0, -sign}
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}", trust_env=False)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_an_interrupt_in_the_middle_of_answers_ends_the_page_cleanly(listings_home: Path) -> None:
    port = free_port()
    process = command("--port", str(port), home=listings_home)
    assert process.stderr is not None
    assert "is on" in process.stderr.readline()
    client = Client(f"http://127.0.0.1:{port}", verbose=False, httpx_kwargs={"trust_env": False})
    for _ in range(8):
        client.submit("How does TideCache cut time to first token, and what does it evict?", api_name="/answer")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "Ended.\n")


def test_an_empty_library_is_served_and_says_so(tmp_path: Path) -> None:
    library = Library(tmp_path / "empty", ToyEmbedder())
    port = free_port()
    served = start(Assistant(library.home, "extractive", library=library), "127.0.0.1", port)
    assert "0 papers" in httpx.get(f"http://127.0.0.1:{port}/config", trust_env=False).text
    served.close()
    library.close()


@pytest.mark.parametrize("path", ["/etc/passwd", "pyproject.toml"])
def test_no_file_of_this_machine_is_taken_for_an_upload(page: httpx.Client, toy_assistant: Assistant, path: str) -> None:
    config = page.get("/config").json()
    ids = {component["id"]: component["props"].get("elem_id") for component in config["components"]}
    [take] = [one["id"] for one in config["dependencies"] if "pa-files" in [ids[component] for component in one["inputs"]]]
    file = {"path": str(Path(path).absolute()), "orig_name": "a.txt", "meta": {"_type": "gradio.FileData"}}
    joined = page.post("/gradio_api/queue/join", json={"fn_index": take, "data": [[file], ""], "session_hash": "thief"})
    assert joined.status_code == 200
    told = page.get("/gradio_api/queue/data", params={"session_hash": "thief"}).text
    assert '"success":false' in told
    assert Path(path).exists() and not (toy_assistant.library.home / "added").exists()
