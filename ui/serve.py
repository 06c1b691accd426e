"""Serves the chat page: on this machine only unless told otherwise, without telemetry."""

from __future__ import annotations

import errno
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from assistant import Assistant, AssistantError

if TYPE_CHECKING:
    from gradio import Blocks
    from starlette.middleware import Middleware

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class PageError(AssistantError):
    """The page cannot be served."""


def serve(assistant: Assistant, host: str | None, port: int | None, announce: Callable[[str], None]) -> None:
    """Serves until interrupted; host and port default to the settings'.

    Raises `PageError` where they cannot be listened on.
    """
    host, port = host or assistant.settings.host, port or assistant.settings.port
    blocks = start(assistant, host, port)
    threading.Thread(target=assistant.library.embedder.embed_queries, args=(["warm up"],), daemon=True).start()
    if host not in _LOOPBACK:
        announce(f"The page is open to everyone who can reach {host}:{port}; it has no password.")
    announce(f"Paper Assistant is on {_address(host, port)} (Ctrl-C ends it)")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        announce("Ended.")
    finally:
        blocks.close(verbose=False)


def start(assistant: Assistant, host: str, port: int) -> Blocks:
    """Starts serving in the background; the page's `close` ends it. Raises `PageError` as `serve` does."""
    _check_free(host, port)
    # Read by Gradio and its parts when they are imported.
    os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_DISABLE_TELEMETRY="1", GRADIO_MCP_SERVER="False")
    from ui.page import build
    from ui.theme import SCRIPT, STYLE, theme

    local = host in _LOOPBACK
    # Only someone at this machine may name LLMs: naming one makes the program call an address, with a key.
    blocks = build(assistant, choose_llm=local)
    try:
        blocks.launch(
            server_name=host,
            server_port=port,
            prevent_thread_lock=True,
            theme=theme(),
            css_paths=STYLE,
            js=SCRIPT.read_text(encoding="utf-8"),
            share=False,
            quiet=True,
            inbrowser=False,
            footer_links=[],
            run_history=False,
            enable_monitoring=False,
            ssr_mode=False,
            pwa=False,
            mcp_server=False,
            max_file_size=1,
            app_kwargs={"middleware": [_known_hosts(host)]},
            blocked_paths=[str(Path.cwd()), str(assistant.library.home)],
        )
    except OSError as error:  # taken since it was looked at
        raise PageError(f"port {port} on {host} cannot be used ({error})") from error
    return blocks


def _known_hosts(host: str) -> Middleware:
    """Refuses requests that a foreign page sends under a name of its own (DNS rebinding)."""
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    known = ["localhost", "127.0.0.1", "[::1]"] if host in _LOOPBACK else ["*"]
    return Middleware(TrustedHostMiddleware, allowed_hosts=known, www_redirect=False)


def _check_free(host: str, port: int) -> None:
    """Raises `PageError` unless the port can be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError as error:
            raise PageError(_why_not(error, host, port)) from error


def _why_not(error: OSError, host: str, port: int) -> str:
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine: leave out --host, or give 127.0.0.1 (this machine only) or 0.0.0.0 (everyone)"
    if error.errno in {errno.EACCES, errno.EPERM}:
        return f"port {port} on {host} may not be used ({error.strerror}): take one above 1023: assistant ui --port 7860"
    other = port + 1 if port < 65535 else port - 1
    return (
        f"port {port} on {host} is busy ({error.strerror}): another program, perhaps this page, is already there. "
        f"Open {_address(host, port)}, or take another port: assistant ui --port {other}"
    )


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
