"""What `lint-imports` cannot say of the imports between modules: its contracts are in pyproject.toml."""

from graphlib import CycleError, TopologicalSorter

import grimp
import pytest

PACKAGES = ("core", "accounts", "catalog", "classifier", "vision", "config", "demo")


def _imports(*, with_typing):
    graph = grimp.build_graph(*PACKAGES, exclude_type_checking_imports=not with_typing, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def _in_package(module, package):
    return module == package or module.startswith(f"{package}.")


def test_catalog_imports_classifier_for_type_checkers_only():
    imports = _imports(with_typing=False)
    of_catalog = {name for module in imports if _in_package(module, "catalog") for name in imports[module]}
    assert {name for name in of_catalog if _in_package(name, "classifier")} == set()


def test_no_module_imports_itself_by_way_of_others():
    imports = {
        # The foreign keys of catalog's tables to classifier's, which have foreign keys back, are the one exception.
        module: imported if module != "catalog.models.of_classifier" else set()
        for module, imported in _imports(with_typing=True).items()
    }
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(" <- ".join(error.args[1]))
