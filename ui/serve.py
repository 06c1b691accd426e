"""Serves the chat page: on this machine only unless told otherwise, without telemetry."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from assistant import Assistant
from assistant.serving.access import LOOPBACK, ListenError, address, check_address

if TYPE_CHECKING:
    from gradio import Blocks
    from starlette.middleware import Middleware


def serve(assistant: Assistant, host: str | None, port: int | None, announce: Callable[[str], None]) -> None:
    """Serves until interrupted; host and port default to the settings'.

    Raises `ListenError` where they cannot be listened on.
    """
    host, port = host or assistant.settings.host, port or assistant.settings.port
    blocks = start(assistant, host, port)
    threading.Thread(target=assistant.library.embedder.embed_queries, args=(["warm up"],), daemon=True).start()
    if host not in LOOPBACK:
        announce(f"The page is open to everyone who can reach {host}:{port}; it has no password.")
    announce(f"Paper Assistant is on {address(host, port)} (Ctrl-C ends it)")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        announce("Ended.")
    finally:
        blocks.close(verbose=False)


def start(assistant: Assistant, host: str, port: int) -> Blocks:
    """Starts serving in the background; the page's `close` ends it. Raises `ListenError` as `serve` does."""
    check_address(host, port, "assistant ui")
    # Read by Gradio and its parts when they are imported.
    os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_DISABLE_TELEMETRY="1", GRADIO_MCP_SERVER="False")
    from ui.page import build
    from ui.theme import SCRIPT, STYLE, theme

    local = host in LOOPBACK
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
        raise ListenError(f"port {port} on {host} cannot be used ({error})") from error
    return blocks


def _known_hosts(host: str) -> Middleware:
    """Refuses requests that a foreign page sends under a name of its own (DNS rebinding)."""
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware

    known = ["localhost", "127.0.0.1", "[::1]"] if host in LOOPBACK else ["*"]
    return Middleware(TrustedHostMiddleware, allowed_hosts=known, www_redirect=False)
