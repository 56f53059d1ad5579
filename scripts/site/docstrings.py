"""Our docstrings as Markdown: examples with >>> become blocks of code, arXiv numbers links, and a list may follow its first line."""

import re
from typing import Any

from griffe import Extension, Object

from scripts.site.markdown import cited

_EXAMPLE = re.compile(r"((?:^ *(?:>>>|\.\.\.) .*\n?)(?:^ *\S.*\n?)*)", re.M)
_LIST = re.compile(r"(?<=:)\n(?= *1\. )")


class Docstrings(Extension):
    """For mkdocstrings, which reads Markdown."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """A docstring has been read."""
        if obj.docstring:
            obj.docstring.value = markdown(obj.docstring.value)


def markdown(text: str) -> str:
    """A docstring as Markdown."""
    return _EXAMPLE.sub(lambda match: f"```pycon\n{match[1].rstrip()}\n```\n", _LIST.sub("\n\n", cited(text)))
