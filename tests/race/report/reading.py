"""A page as a test reads it: its data, its tags, its text."""

import json
from html.parser import HTMLParser
from typing import Any


class Page(HTMLParser):
    """Parsed as a browser would: scripts are text, entities are decoded."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: dict[str, str] = {}
        self.sections: dict[str, str] = {}
        self.rows: dict[str, list[list[str]]] = {}
        """Caption of a table → its rows of cells."""
        self._open: list[str] = []
        self._section = self._script = self._caption = ""
        self.feed(html)
        self.close()
        self.data: dict[str, Any] = json.loads(self.scripts["data"])
        self.charts: dict[str, Any] = self.data["charts"]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        if tag == "script":
            self._script = given.get("id") or f"script {len(self.scripts)}"
            self.scripts[self._script] = ""
        elif tag == "section":
            self._section = given["id"] or ""
            self.sections[self._section] = ""
        elif tag == "div" and given.get("class") == "scroll":
            self._caption = given["aria-label"] or ""
            self.rows[self._caption] = []
        elif tag == "tr":
            self.rows[self._caption].append([])
        elif tag in ("td", "th"):
            self.rows[self._caption][-1].append("")
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass
        if tag == "script":
            self._script = ""
        elif tag == "section":
            self._section = ""

    def handle_data(self, data: str) -> None:
        data = data.replace("\xa0", " ")
        if self._script:
            self.scripts[self._script] += data
        if self._section:
            self.sections[self._section] += data
        if "td" in self._open or "th" in self._open:
            self.rows[self._caption][-1][-1] += data

    def view(self, chart: str, key: str = "") -> dict[str, Any]:
        return self.charts[chart]["views"][key]

    def traces(self, chart: str, key: str = "", *, part: str) -> dict[int, list[dict[str, Any]]]:
        """Entrant's number → its traces of one kind."""
        found: dict[int, list[dict[str, Any]]] = {}
        for trace in self.view(chart, key)["figure"]["data"]:
            if trace["meta"]["part"] == part:
                found.setdefault(trace["meta"].get("o", -1), []).append(trace)
        return found
