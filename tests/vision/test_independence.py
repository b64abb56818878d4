"""vision/ knows no Django and no part of the site, so that it can be used and tested without either."""

import ast
from pathlib import Path

import vision

SITE = {"django", "accounts", "catalog", "classifier", "config", "core", "demo"}


def imported(path):
    """The top-level packages that a module imports anywhere, lazily or not; relative imports stay inside."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0]


def test_no_module_imports_django_or_the_site():
    folder = Path(vision.__file__).parent
    modules = sorted(folder.rglob("*.py"))
    assert len(modules) > 40
    wrong = {str(path.relative_to(folder)): SITE & set(imported(path)) for path in modules}
    assert {path: names for path, names in wrong.items() if names} == {}
