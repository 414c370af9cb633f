"""
Write the pictures of ``docs/images``: the demonstration as readers meet it.

Run it from the root of the repository, with Chromium installed: ``python docs/make_images.py``.
Khmer needs a font such as Debian's ``fonts-khmeros-core``.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image
from playwright.sync_api import sync_playwright

from layers.demo import write_demo

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

IMAGES = Path(__file__).parent / "images"
WIDE, PHONE = (1200, 800), (390, 844)
COLOURS = 128  # of the palette: flat maps need no more, and the files stay small
PAPER_DPI = 96

# Name, size of the window, scheme, and what is pressed before the picture is taken.
VIEWS: tuple[tuple[str, tuple[int, int], str, tuple[str, ...]], ...] = (
    ("wide", WIDE, "light", (".ca-symbol[aria-label^='Sihanoukville']",)),
    ("phone", PHONE, "light", ()),
    ("dark", WIDE, "dark", ("[data-tab=filter]",)),
    ("khmer", WIDE, "light", ("[data-language=km]", "[data-tab=table]")),
)


def photograph(page: Page, name: str) -> None:
    """Write what a page shows now."""
    keep(Image.open(BytesIO(page.screenshot())), name)


def keep(image: Image.Image, name: str) -> None:
    """Write a picture with few colours."""
    small = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(IMAGES / f"{name}.png", optimize=True)


def views(browser: Browser, address: str) -> None:
    """Photograph the page on screens."""
    for name, (width, height), scheme, pressed in VIEWS:
        options: dict[str, Any] = {"color_scheme": scheme, "offline": True}
        page = browser.new_page(viewport={"width": width, "height": height}, **options)
        page.goto(address)
        page.locator(".ca-symbol").first.wait_for()
        for selector in pressed:
            page.locator(selector).click()
        page.mouse.move(0, 0)
        page.wait_for_timeout(300)
        photograph(page, name)
        page.close()


def paper(browser: Browser, address: str) -> None:
    """Print the page on A4 and keep the first sheet."""
    page = browser.new_page(viewport={"width": WIDE[0], "height": WIDE[1]}, offline=True)
    page.goto(address)
    page.locator(".ca-symbol").first.wait_for()
    with tempfile.TemporaryDirectory() as folder:
        sheet = Path(folder) / "sheet.pdf"
        page.pdf(path=sheet, format="A4")
        command = ["pdftoppm", "-r", str(PAPER_DPI), "-png", "-singlefile", str(sheet)]
        subprocess.run([*command, str(sheet.with_suffix(""))], check=True)  # noqa: S603  # ours
        keep(Image.open(sheet.with_suffix(".png")), "print")
    page.close()


def main() -> None:
    """Write all pictures."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        write_demo(folder)
        address = (Path(folder) / "map.html").as_uri()
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        views(browser, address)
        paper(browser, address)
        browser.close()


if __name__ == "__main__":
    main()
