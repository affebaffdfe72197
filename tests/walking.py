"""Following the links of pages, as somebody would who clicks on everything."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urljoin, urlsplit

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map

TELLING = frozenset({"kind", "tab", "show", "view", "step"})
"""Names in a query whose values make another page of it."""

_LINKING = {("a", "href"), ("link", "href"), ("script", "src"), ("img", "src"), ("use", "href")}


Shape = tuple[object, object, tuple[tuple[str, str], ...]]
"""A route, what it is given that makes another page of it, and names and values of its query."""


class Found(NamedTuple):
    status: int
    content_type: str
    text: str
    location: str = ""


def opened_by(browser: Any) -> Callable[[str], Found]:
    """Return an opener of pages for `walk`: a browser of the tests without a screen."""

    def open_page(path: str) -> Found:
        answer = browser.get(path)
        is_text = answer.content_type.startswith("text/")
        text = answer.text if is_text else ""
        return Found(answer.status_code, answer.content_type, text, answer.location or "")

    return open_page


@dataclass
class Walk:
    """What somebody has found who began at some pages and followed every link."""

    pages: dict[str, Found] = field(default_factory=dict)
    """By path with query: everything that was opened."""
    linked_from: dict[str, str] = field(default_factory=dict)

    @property
    def broken(self) -> list[tuple[str, int, str]]:
        """Return what could not be opened, and where it is linked."""
        return [
            (path, found.status, self.linked_from[path])
            for path, found in self.pages.items()
            if found.status >= 400
        ]

    @property
    def documents(self) -> list[str]:
        """Return the paths of all whole pages, without those that are part of one."""
        return [
            path
            for path, found in self.pages.items()
            if found.status == 200 and found.text.startswith("<!doctype html>")
        ]


def walk(
    open_page: Callable[[str], Found],
    routes: Map,
    *starts: str,
    shape: Callable[[Map, str], Shape],
) -> Walk:
    """Open pages and what they link to, one of each shape."""
    walked, seen = Walk(), set[Shape]()
    waiting = deque((start, "") for start in starts)
    while waiting:
        path, origin = waiting.popleft()
        own_shape = shape(routes, path)
        if own_shape in seen:
            continue
        seen.add(own_shape)
        found = open_page(path)
        walked.pages[path], walked.linked_from[path] = found, origin
        if found.location:
            waiting.append((_inside(found.location, path) or path, path))
        if found.content_type.startswith("text/html"):
            waiting.extend((link, path) for link in links_of(found.text, path))
    return walked


def distinct(paths: Iterable[str], routes: Map) -> list[str]:
    """Return one path of each page and of each thing it can show, whatever else is in its query."""
    shown: set[tuple[object, ...]] = set()
    firsts = []
    for path in paths:
        endpoint, given, told = page_shape(routes, path)
        shows = {(endpoint, given, each) for each in told or (None,)}
        if not shows <= shown:
            shown |= shows
            firsts.append(path)
    return firsts


def links_of(page: str, path: str) -> Iterator[str]:
    """Yield where a page leads inside the application, symbols in files included."""
    reader = _Reader()
    reader.feed(page)
    for link in dict.fromkeys(reader.links):
        inside = _inside(link, path)
        if inside is not None:
            yield inside


def _inside(link: str, path: str) -> str | None:
    parts = urlsplit(urljoin(path, link))
    if parts.scheme or parts.netloc:
        return None
    return parts._replace(fragment="").geturl()


def page_shape(routes: Map, path: str) -> Shape:
    """Return what makes a page another one: its route, and what it is told to show."""
    endpoint, given, told = full_shape(routes, path)
    return endpoint, given, tuple(it for it in told if it[0] in TELLING)


def full_shape(routes: Map, path: str) -> Shape:
    """Return that and all the names in its query, which may lead elsewhere from there."""
    parts = urlsplit(path)
    query = parse_qsl(parts.query, keep_blank_values=True)
    told = tuple(sorted((name, value if name in TELLING else "") for name, value in query))
    try:
        endpoint, given = routes.bind("localhost").match(parts.path)
    except HTTPException:
        return path, None, ()
    return endpoint, given.get("filename") or given.get("kind"), told


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            is_link = (tag, name) in _LINKING or name == "hx-get"
            if value and is_link and not value.startswith(("#", "mailto:", "data:")):
                self.links.append(value)
