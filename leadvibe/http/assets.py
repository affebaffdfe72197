"""Static files under addresses that change with their content, so that browsers may keep them."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, request

FOREVER = "public, max-age=31536000, immutable"
# Vendored files carry their version in the name; style sheets refer to them without a hash.
VENDORED = "vendor/"
HASH_CHARACTERS = 12


def register(app: Flask) -> None:
    """Give templates `asset(filename)` and let browsers keep what it names."""
    folder = Path(app.static_folder or "")

    def address(filename: str) -> str:
        path = f"{app.static_url_path}/{filename}"
        is_versioned = filename.startswith(VENDORED)
        return path if is_versioned else f"{path}?v={_content_hash(folder / filename)}"

    # A page names thirty assets, and they change with a release: while developing (debug) each
    # is looked at again, otherwise once.
    app.template_global("asset")(address if app.debug else lru_cache(maxsize=1024)(address))

    @app.after_request
    def keep(response: Response) -> Response:
        if request.endpoint == "static" and response.status_code in {200, 206, 304}:
            response.headers["Cache-Control"] = _caching((request.view_args or {})["filename"])
        return response

    def _caching(filename: str) -> str:
        is_current = request.args.get("v") == _content_hash(folder / filename)
        return FOREVER if is_current or filename.startswith(VENDORED) else "public, no-cache"


def _content_hash(path: Path) -> str:
    """Hash a file's content, again whenever it was written to."""
    return _hash_at(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=1024)
def _hash_at(path: Path, _written_at: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:HASH_CHARACTERS]
