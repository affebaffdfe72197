"""Properties draw from hypothesis alone, which can then repeat and shrink what it found."""

from __future__ import annotations

import ast
from pathlib import Path

TESTS = Path(__file__).parent.parent


def imported_modules(path: Path) -> set[str]:
    """Return the top-level packages that a file imports anywhere in it."""
    modules = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules.add(node.module.partition(".")[0])
    return modules


def test_no_file_with_properties_uses_the_random_module():
    imports = {path.relative_to(TESTS): imported_modules(path) for path in TESTS.rglob("*.py")}
    properties = {path for path, modules in imports.items() if "hypothesis" in modules}

    assert properties
    assert [path for path in sorted(properties) if "random" in imports[path]] == []
