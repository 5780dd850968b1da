"""The public API: every name once for type checkers, once for run time."""

from __future__ import annotations

import ast
from pathlib import Path

import django_rqlite
from django_rqlite import exceptions


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(django_rqlite.__file__).read_text())
    (block,) = (node for node in tree.body if isinstance(node, ast.If))
    for_type_checkers: dict[str, list[str]] = {}
    for node in block.body:
        assert isinstance(node, ast.ImportFrom)
        for alias in node.names:
            assert alias.asname == alias.name, "a name without `as` is not exported"
            for_type_checkers.setdefault(str(node.module), []).append(alias.name)
    assert {module: sorted(names) for module, names in for_type_checkers.items()} == {
        module: sorted(names) for module, names in django_rqlite._EXPORTS.items()
    }


def test_every_exception_is_public() -> None:
    own = {
        name
        for name, value in vars(exceptions).items()
        if isinstance(value, type) and value.__module__ == exceptions.__name__
    }
    assert own <= set(django_rqlite.__all__)
