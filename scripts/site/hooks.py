"""What MkDocs calls while it builds the site. It is run as `python -m mkdocs`, so that this folder can be imported."""

from typing import Any

from mkdocs.structure.files import File, Files

from scripts.site.pages import filled, pages
from steepest.play import page as playground


def on_config(config: Any) -> Any:
    """The nav's `folder/*` becomes the generated pages of that folder, but its index."""
    config.nav = _spread(config.nav)
    return config


def _spread(nav: list) -> list:
    found: list = []
    for item in nav:
        if isinstance(item, dict):
            found.append({title: _spread(part) if isinstance(part, list) else part for title, part in item.items()})
        elif item.endswith("/*"):
            found += [path for path in pages() if path.startswith(item[:-1]) and not path.endswith("/index.md")]
        else:
            found.append(item)
    return found


def on_files(files: Files, config: Any) -> Files:
    """Add what is generated."""
    for path, text in pages().items():
        files.append(File.generated(config, path, content=text))
    files.append(File.generated(config, "playground/page.html", content=playground()))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Fill in what is generated on written pages."""
    return filled(markdown)
