"""The pages of a built site as a reader's browser sees them: what they point to, what can be pointed at, what they load."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

#: pages that bring all they need; what they link to is the business of their own tests
WHOLE = {"playground/page.html", "race/standard.html"}


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {k: v for k, v in attrs if v is not None}
        self.ids |= {found[k] for k in ("id", "name") if k in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        elif tag == "link" and "stylesheet" in found.get("rel", "") + found.get("as", ""):
            self.loaded.append(found["href"])
        elif "src" in found:
            self.loaded.append(found["src"])


def read(site: Path) -> dict[str, Page]:
    return {path.relative_to(site).as_posix(): Page(path.read_text()) for path in sorted(site.rglob("*.html"))}


def internal(url: str) -> bool:
    parts = urlsplit(url)
    return not parts.scheme and not parts.netloc


def broken(site: Path, pages: dict[str, Page]) -> list[str]:
    """Every internal link whose file or anchor is not there."""
    found = []
    for name, page in pages.items():
        if name in WHOLE:
            continue
        for link in filter(internal, (*page.links, *page.loaded)):
            parts = urlsplit(link)
            base = site if name == "404.html" else (site / name).parent  # which is shown anywhere
            target = base / unquote(parts.path).removeprefix("/" * (name == "404.html")) if parts.path else site / name
            target = target / "index.html" if target.is_dir() else target
            key = target.resolve().relative_to(site.resolve()).as_posix() if target.exists() else ""
            if not key:
                found.append(f"{name}: {link}: no such file")
            elif parts.fragment and key in pages and key not in WHOLE and unquote(parts.fragment) not in pages[key].ids:
                found.append(f"{name}: {link}: no such anchor")
    return found
