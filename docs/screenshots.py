"""Takes the pictures of the chat page in docs/images: `python docs/screenshots.py [HOME]`.

HOME is a home that holds the starter library; without one, a temporary home is made, which
takes a minute or more. Needs the `dev` extra and a Chromium on the PATH (`apt-get install chromium`).
"""

from __future__ import annotations

import shutil
import socket
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from assistant import Assistant
from assistant.cli.output import EmbeddingBar
from index import Library
from ui.serve import start

IMAGES = Path(__file__).with_name("images")
ANSWERED = "How does Hydragen handle a shared prefix?"
DECLINED = "What is the boiling point of ethanol?"
MOST_BYTES = 200_000


@dataclass(frozen=True)
class Picture:
    """One picture to take."""

    name: str
    question: str
    theme: str
    width: int
    height: int
    opened: bool = False
    """Whether the first source is opened; where there is room beside the answer, it is open already."""


PICTURES = (
    Picture("chat", ANSWERED, "light", 1440, 900),
    Picture("chat-dark", ANSWERED, "dark", 1440, 900),
    Picture("chat-narrow", ANSWERED, "light", 390, 844, opened=True),
    Picture("chat-declined", DECLINED, "light", 1440, 700),
)


def main() -> None:
    """Serves the page and takes all pictures."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("no chromium here: apt-get install chromium")
    with tempfile.TemporaryDirectory() as temporary:
        library = Library(Path(sys.argv[1] if len(sys.argv) > 1 else temporary))
        if not library.catalogue.count():
            library.add_starter(EmbeddingBar())
        assistant = Assistant(library.home, "extractive", library=library)
        assistant.answer(ANSWERED)  # so that the time shown is that of a warm question
        port = _free_port()
        served = start(assistant, "127.0.0.1", port)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            for picture in PICTURES:
                _take(browser, f"http://127.0.0.1:{port}", picture)
            browser.close()
        served.close()
        assistant.close()


def _take(browser: Browser, url: str, picture: Picture) -> None:
    page = browser.new_page(viewport={"width": picture.width, "height": picture.height})
    page.goto(f"{url}/?__theme={picture.theme}")
    page.locator("#pa-chat .example").first.wait_for()
    box = page.get_by_role("textbox", name="Your question")
    box.fill(picture.question)
    box.press("Enter")
    page.locator("#pa-chat .bot-row").locator(".pa-foot, .pa-declined").last.wait_for()
    page.get_by_role("button", name="Ask", exact=True).wait_for()
    if picture.opened:
        page.locator("a.pa-mark").first.click()
    IMAGES.mkdir(exist_ok=True)
    path = IMAGES / f"{picture.name}.png"
    page.screenshot(path=path, animations="disabled")
    page.close()
    if path.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{path} is larger than {MOST_BYTES:,} bytes")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
