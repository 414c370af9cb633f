"""Draw docs/images/demo-map.png again: the demonstration's page as it opens, in Chromium.

Run from the repository after a change of the page's look: ``python docs/images/build_picture.py``.
It needs the extra ``test`` and Chromium, and no network.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import sync_playwright

from layers.demo import write_demo

PICTURE = Path(__file__).parent / "demo-map.png"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def main() -> None:
    """Write the picture."""
    with TemporaryDirectory() as folder, sync_playwright() as play:
        page_file = write_demo(folder).folder / "map.html"
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(page_file.resolve().as_uri())
        page.locator(".ca-symbol").first.wait_for()
        page.wait_for_timeout(1000)  # labels are placed after the symbols
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main()
