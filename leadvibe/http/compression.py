"""Pages and their files in a tenth to a third of their bytes, for browsers that ask for gzip.

Answers of the API stay as they are: programs are near, and their answers are small. What is
streamed or a part of a file stays, too. A proxy in front finds nothing left to compress.
"""

from __future__ import annotations

import gzip
import io
import secrets
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, request
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join

TYPES = frozenset({"text/html", "text/css", "text/javascript", "image/svg+xml"})
LEAST_BYTES = 500
"""Less fits into one packet either way."""

PAGE_LEVEL, FILE_LEVEL = 5, 9
"""Pages are compressed each time, which takes a millisecond; files once."""

MOST_PADDING_BYTES = 100
"""A page repeats what was in its address and holds the token of its forms: with a length that
changes at random nobody can tell from many tries which bytes the two have in common (BREACH)."""


def register(app: Flask) -> None:
    folder = app.static_folder or ""

    @app.after_request
    def compress(response: Response) -> Response:
        if response.mimetype not in TYPES:
            return response
        response.vary.add("Accept-Encoding")
        if not _is_wanted(response):
            return response
        if request.endpoint == "static":
            body = _file_in_folder(folder, (request.view_args or {})["filename"])
            response.close()  # the file that would have been sent plainly
        elif response.is_streamed or len(response.get_data()) < LEAST_BYTES:
            return response
        else:
            body = _page(response.get_data())
        response.direct_passthrough = False
        response.set_data(body)
        response.headers["Content-Encoding"] = "gzip"
        response.headers.pop("Accept-Ranges", None)
        etag, _ = response.get_etag()
        if etag:  # the same for both forms of a file, and so weak
            response.set_etag(etag, weak=True)
        return response


def _is_wanted(response: Response) -> bool:
    return (
        request.method != "HEAD"
        and response.status_code not in {204, 206, 304}
        and "Content-Encoding" not in response.headers
        and request.accept_encodings["gzip"] > 0
    )


def _page(body: bytes) -> bytes:
    """Compress a page; gzip's place for a file's name is what makes its length uncertain."""
    packed = io.BytesIO()
    padding = "x" * secrets.randbelow(MOST_PADDING_BYTES)
    with gzip.GzipFile(padding, "wb", PAGE_LEVEL, packed, mtime=0) as into:
        into.write(body)
    return packed.getvalue()


def _file_in_folder(folder: str, filename: str) -> bytes:
    path = safe_join(folder, filename)
    if path is None:
        raise NotFound
    return _file_at(path, Path(path).stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _file_at(path: str, _written_at: int) -> bytes:
    return gzip.compress(Path(path).read_bytes(), FILE_LEVEL, mtime=0)
