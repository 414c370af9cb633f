"""Chromium without network, watching for everything that a page must not do."""

import os
import shutil
from dataclasses import dataclass, field

import pytest

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass
class Watched:
    """A page and what went wrong in it."""

    page: object
    requests: list = field(default_factory=list)
    failed: list = field(default_factory=list)
    console: list = field(default_factory=list)
    dialogs: list = field(default_factory=list)

    def open(self, path):
        self.page.goto(path.as_uri())
        self.page.wait_for_timeout(300)
        return self.page

    def assert_quiet(self):
        assert self.failed == []
        assert self.console == []
        assert self.dialogs == []
        assert [r for r in self.requests if not r.startswith(("file:", "data:", "blob:"))] == []


@pytest.fixture(scope="session")
def chromium():
    path = next(
        filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
    )
    if path is None:
        message = "no Chromium on this machine: install Debian's `chromium` to run these tests"
        if os.environ.get("COMPOUND_ATLAS_REQUIRE_BROWSER") == "1":
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def watch(chromium):
    """Open pages of a given size, without network; every page is watched."""
    contexts = []

    def new(width=1200, height=800, **options):
        context = chromium.new_context(
            viewport={"width": width, "height": height}, offline=True, **options
        )
        contexts.append(context)
        page = context.new_page()
        watched = Watched(page)
        page.on("request", lambda r: watched.requests.append(r.url))
        page.on("requestfailed", lambda r: watched.failed.append(r.url))
        page.on("console", lambda m: watched.console.append(f"{m.type}: {m.text}"))
        page.on("pageerror", lambda e: watched.console.append(f"error: {e}"))
        page.on("dialog", lambda d: (watched.dialogs.append(d.message), d.dismiss()))
        return watched

    yield new
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    from layers.demo import write_demo

    folder = tmp_path_factory.mktemp("demo")
    write_demo(folder)
    return folder
