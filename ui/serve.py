"""Serves the chat page: on this machine only unless told otherwise, without telemetry."""

from __future__ import annotations

import logging
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assistant import Assistant
from assistant.conversations import Conversations
from assistant.serving.access import LOOPBACK, ListenError, address, check_address

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

_START_SECONDS = 60.0
_END_SECONDS = 1.0
"""For answers that are coming when the page is ended; what came of them is kept. Then they are cut off, in as much time again."""


@dataclass(frozen=True)
class Access:
    """Who may reach the page, and how."""

    users: Path | None = None
    """A file of users, who must log in."""
    is_open: bool = False
    """Whether everyone who can reach the address may use it, as the user said."""
    root_path: str = ""
    """Under which a reverse proxy shows the page: `/papers`."""
    hosts: tuple[str, ...] = ()
    """Names under which a reverse proxy asks for it, beside this machine's own."""


class Served:
    """A page that is being served in the background."""

    def __init__(self, server: uvicorn.Server, thread: threading.Thread, uploads: Path, conversations: Conversations) -> None:
        self._server = server
        self._thread = thread
        self._uploads = uploads
        self._conversations = conversations

    def close(self) -> None:
        """Ends it; what was uploaded and not yet added goes with it."""
        self._server.should_exit = True
        self._thread.join(_END_SECONDS)
        if self._thread.is_alive():
            logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # that an answer was cut off is no fault
            self._server.force_exit = True
            self._thread.join(_END_SECONDS)
        self._conversations.close()
        shutil.rmtree(self._uploads, ignore_errors=True)


def serve(assistant: Assistant, host: str | None, port: int | None, announce: Callable[[str], None], access: Access = Access()) -> None:
    """Serves until interrupted, and then ends the process; host and port default to the settings'.

    Raises `ListenError` where they cannot be listened on.
    """
    host, port = host or assistant.settings.host, port or assistant.settings.port
    served = start(assistant, host, port, access)
    # No daemon: native code that the end of the process cuts off aborts it.
    threading.Thread(target=assistant.library.embedder.embed_queries, args=(["warm up"],)).start()
    if host not in LOOPBACK and access.users is None:
        announce(f"The page is open to everyone who can reach {host}:{port}; it has no password.")
    if assistant.library.read_only:
        announce("The home cannot be written: conversations last until the page is ended.")
    announce(f"Paper Assistant is on {address(host, port)}{access.root_path} (Ctrl-C ends it)")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        announce("Ended.")
    finally:
        served.close()
    # Threads may still read a paper or wait for an LLM: Python's own end would cut them off within native code, which aborts.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def start(assistant: Assistant, host: str, port: int, access: Access = Access()) -> Served:
    """Starts serving in the background. Raises `ListenError` as `serve` does, and `index.HomeError` for the conversations."""
    _check_access(host, access)
    listening = _listening(host, port)
    uploads = Path(tempfile.mkdtemp(prefix="paper-assistant-"))
    # Read by Gradio and its parts when they are imported, or when a page is made.
    os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_DISABLE_TELEMETRY="1", GRADIO_MCP_SERVER="False")
    os.environ["GRADIO_TEMP_DIR"] = str(uploads)
    # Else Gradio keeps ten thousand events for its monitoring, and tabulates them all after each.
    os.environ.update(GRADIO_ANALYTICS_MAX_EVENTS="1", GRADIO_ANALYTICS_CACHE_FREQUENCY=str(10**12))
    import uvicorn

    conversations = Conversations(None if assistant.library.read_only else assistant.library.home)
    app = _app(assistant, conversations, host, access)
    # Gradio's own server asks itself over the network, through whatever proxy is set.
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, ws="none", proxy_headers=False, server_header=False))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    end = time.monotonic() + _START_SECONDS
    while not server.started and thread.is_alive() and time.monotonic() < end:
        time.sleep(0.01)
    served = Served(server, thread, uploads, conversations)
    if not server.started:
        served.close()
        raise ListenError(f"the page did not start on {address(host, port)}: the lines above say why")
    return served


def _app(assistant: Assistant, conversations: Conversations, host: str, access: Access) -> ASGIApp:
    """The ASGI app: the page, and beside it the API where only this machine can ask, or keys are set."""
    import gradio as gr
    from fastapi import FastAPI

    from assistant.serving.access import keys_from_environment
    from assistant.serving.api import beside
    from ui.adding import MOST_BYTES
    from ui.guard import Guard
    from ui.page import build
    from ui.theme import SCRIPT, STYLE, theme
    from ui.users import Users

    local = host in LOOPBACK
    # Only someone at this machine may name LLMs: naming one makes the program call an address, with a key.
    may_add = (local or access.users is not None) and not assistant.library.read_only
    blocks = build(assistant, conversations, choose_llm=local and not access.hosts, may_add=may_add)
    users = Users(access.users) if access.users else None
    hosts = ["localhost", "127.0.0.1", "::1", *access.hosts] if local or access.hosts else ["*"]
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.get("/health")(_health)
    page = gr.mount_gradio_app(
        app,
        blocks,
        path="",
        app_kwargs={"docs_url": None, "redoc_url": None},
        auth=users.lets_in if users else None,
        root_path=access.root_path or None,
        theme=theme(),
        css_paths=STYLE,
        js=SCRIPT.read_text(encoding="utf-8"),
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        show_error=True,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        max_file_size=MOST_BYTES if may_add else 1,
        blocked_paths=[str(Path.cwd()), str(assistant.library.home)],
    )
    guarded: ASGIApp = Guard(page, hosts, proxied=bool(access.hosts or access.root_path))
    keys = keys_from_environment()
    if not keys and (not local or access.hosts or users):  # others could ask it without logging in
        return guarded
    return beside(guarded, assistant, "*" if access.hosts else host, keys)


def _health() -> dict[str, str]:
    """Tells whoever watches the page that it answers; nothing of what is in it."""
    return {"status": "ok"}


def _check_access(host: str, access: Access) -> None:
    """Raises `ListenError` where others could reach the page and nobody said that they may."""
    if access.root_path and not access.root_path.startswith("/"):
        raise ListenError(f"--root-path {access.root_path}: begins with a slash: /papers")
    if (host not in LOOPBACK or access.hosts) and access.users is None and not access.is_open:
        raise ListenError(
            f"others could then reach the page at {host}, with all its papers and conversations: give --auth FILE, so that they log in "
            "(`assistant ui --auth FILE --add-user NAME` makes it), or --no-auth, if everyone may"
        )


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises `ListenError` where that cannot be."""
    check_address(host, port, "assistant ui")
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        made.listen(128)
    except OSError as error:  # taken since it was looked at
        made.close()
        raise ListenError(f"port {port} on {host} cannot be used ({error})") from error
    return made
