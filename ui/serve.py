"""Serves the chat page: on this machine only unless told otherwise, without telemetry."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from assistant import Assistant, AssistantError

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class PageError(AssistantError):
    """The page cannot be served."""


def serve(assistant: Assistant, host: str | None, port: int | None, announce: Callable[[str], None]) -> None:
    """Serves until interrupted; host and port default to the settings'.

    Raises `PageError` where the port is busy or the address is not this machine's.
    """
    host, port = host or assistant.settings.host, port or assistant.settings.port
    check_free(host, port)
    # Read by Gradio and its parts when they are imported.
    os.environ.update(GRADIO_ANALYTICS_ENABLED="False", HF_HUB_DISABLE_TELEMETRY="1", GRADIO_MCP_SERVER="False")
    import gradio as gr

    from ui.page import STYLE, build

    threading.Thread(target=assistant.library.embedder.embed_queries, args=(["warm up"],), daemon=True).start()
    if host not in _LOOPBACK:
        announce(f"The page is open to everyone who can reach {host}:{port}; it has no password.")
    announce(f"Paper Assistant is on http://{host}:{port} (Ctrl-C ends it)")
    build(assistant).launch(
        server_name=host,
        server_port=port,
        theme=gr.themes.Base(
            primary_hue="teal",
            neutral_hue="slate",
            font=["ui-sans-serif", "system-ui", "Segoe UI", "Liberation Sans", "sans-serif"],
            font_mono=["ui-monospace", "monospace"],
        ),
        css_paths=[STYLE],
        share=False,
        quiet=True,
        inbrowser=False,
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        blocked_paths=[str(Path.cwd()), str(assistant.library.home)],
    )


def check_free(host: str, port: int) -> None:
    """Raises `PageError` unless the port can be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PageError(
                f"port {port} on {host} cannot be used ({error.strerror}): another program, perhaps this page, is already there. "
                f"Open http://{host}:{port}, or take another port: assistant ui --port {port + 1 if port < 65535 else port - 1}"
            ) from error
