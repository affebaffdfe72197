"""Docstrings stand where a reader needs them: the engine, services and queries."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import leadvibe

PACKAGE = Path(leadvibe.__file__).parent


def public_definitions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node


def test_every_module_says_what_it_is_for():
    silent = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if not ast.get_docstring(ast.parse(path.read_text()))
    ]

    assert silent == []


def test_services_queries_and_the_engine_document_their_functions():
    modules = [*PACKAGE.rglob("service.py"), *PACKAGE.rglob("queries.py")]
    modules += (PACKAGE / "engine").glob("*.py")
    silent = [
        f"{path.relative_to(PACKAGE)}:{node.name}"
        for path in modules
        for node in public_definitions(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and not ast.get_docstring(node)
    ]

    assert silent == []


def test_no_module_is_a_drawer_for_everything():
    drawers = {"utils", "helpers", "common", "misc"}

    assert [path for path in PACKAGE.rglob("*.py") if path.stem in drawers] == []
