"""The built site: no warning, no broken link, every public name, nothing from elsewhere. Built once, so this is one test."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import griffe
import pytest
from scripts.site import reference

from steepest import registry
from tests.browser import Page as Tab
from tests.browser import chromium
from tests.site import links

ROOT = Path(__file__).parents[2]
#: one of each kind
LOOKED_AT = [
    "index.html",
    "start/torch.html",
    "choose.html",
    "evidence.html",
    "claims.html",
    "optimizers/index.html",
    "optimizers/adabelief.html",
    "strategy.html",
    "race/index.html",
    "race/our-own.html",
    "playground.html",
    "reference/steepest.torch.html",
    "cli.html",
    "parity.html",
]


def build(out: Path) -> Path:
    program = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(out)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(program, check=False, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr.strip(), done.stderr
    return out


def test_the_site(tmp_path: Path, subtests: pytest.Subtests) -> None:
    site = build(tmp_path / "site")
    pages = links.read(site)
    with subtests.test("every link leads somewhere"):
        assert sum(len(page.links) for page in pages.values()) > 500
        assert not links.broken(site, pages)
    with subtests.test("nothing is loaded from elsewhere"):
        loaded = {url for page in pages.values() for url in page.loaded}
        assert loaded
        assert not [url for url in loaded if not links.internal(url) and not url.startswith("data:")]
    with subtests.test("every optimizer has a page"):
        assert {f"optimizers/{name}.html" for name in registry.optimizers()} <= set(pages)
    with subtests.test("every public name is documented"):
        documented(pages)
    with subtests.test("in a browser"), chromium(tmp_path) as tab:
        for name in LOOKED_AT:
            for width, theme in ((1280, "light"), (390, "dark")):
                shown(tab, site / name, width, theme)
        searched(tab, site.as_uri())
        with served(site) as address:
            searched(tab, address)
            followed(tab, address)


def documented(pages: dict[str, links.Page]) -> None:
    package = griffe.load("steepest", search_paths=[ROOT / "src"])
    for module in reference.MODULES:
        for name, origin in reference.names(module).items():
            home = reference.home(module, name)
            assert f"{home}.{name}" in pages[f"reference/{home}.html"].ids
            explained = package[f"{origin}.{name}".removeprefix("steepest.")]
            assert explained.docstring is not None, f"{origin}.{name} has no docstring"
            assert explained.docstring.value.strip()


def shown(tab: Tab, page: Path, width: int, theme: str) -> None:
    """It fits its window, says nothing in the console and asks nobody for anything."""
    tab.requests.clear()
    tab.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 640)
    tab.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
    tab.call("Page.navigate", url=page.as_uri())
    tab.until("document.readyState === 'complete' && !!document.querySelector('.md-content')", page.name)
    assert tab.run("document.body.getAttribute('data-md-color-scheme')") == {"light": "default", "dark": "slate"}[theme]
    assert tab.run("document.documentElement.scrollWidth <= innerWidth"), f"{page.name} is wider than {width}"
    wide = "[...document.querySelectorAll('.formula')].filter(f => f.scrollWidth > f.clientWidth + 1).length"
    assert width < 640 or tab.run(wide) == 0, f"a formula of {page.name} does not fit"
    assert not [url for url in tab.requests if not url.startswith(("file:", "data:", "blob:", "about:"))]
    assert not tab.errors, f"{page.name}: {tab.errors}"


def searched(tab: Tab, address: str) -> None:
    """The search works, also where pages are opened as files."""
    tab.call("Page.navigate", url=f"{address}/index.html?q=rectification")
    tab.until("!!document.querySelector('.md-search-result__item a[href*=\"adabelief\"]')", "the search to find AdaBelief")


def followed(tab: Tab, address: str) -> None:
    """The playground has the palette of the site, also after it was changed by hand."""
    tab.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "light"}])
    tab.call("Page.navigate", url=f"{address}/playground.html")
    inside = "document.querySelector('iframe.whole')?.contentDocument"
    tab.until(f"{inside}?.getElementById('theme') && document.body.dataset.mdColorScheme === 'default'", "the playground")
    tab.run("document.querySelector('input[data-md-color-media=\"(prefers-color-scheme: dark)\"]').click()")
    tab.until(f"document.body.dataset.mdColorScheme === 'slate' && {inside}?.documentElement.dataset.theme === 'dark'", "both to be dark")


@contextmanager
def served(site: Path) -> Iterator[str]:
    """The site from a server, as most readers get it."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def test_broken_links_are_seen(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<a href="b.html#there">x</a><a href="b.html#gone">x</a><a href="c.html">x</a><img src="d.png">')
    (tmp_path / "b.html").write_text('<p id="there">x</p><a href="https://elsewhere.org/#x">x</a>')
    found = links.broken(tmp_path, links.read(tmp_path))
    assert [line.split(": ")[1] for line in found] == ["b.html#gone", "c.html", "d.png"]
    fetched = links.Page('<script src="https://elsewhere.org/a.js"></script><link rel="stylesheet" href="//elsewhere.org/a.css">').loaded
    assert len(fetched) == 2
    assert not any(map(links.internal, fetched))
