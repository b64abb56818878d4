"""What pages say of the lines of an import."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.imports.refusals import sentence
from catalog.models import ImportLine, Product
from catalog.product_columns import IMAGES, NOT_APPLICABLE, STATUS
from catalog.selectors import Taxonomy
from catalog.services.imports.report import column_names


@dataclass(frozen=True)
class Change:
    """What would change in one column, in words."""

    column: str
    before: str
    after: str


@dataclass(frozen=True)
class ShownLine:
    """A line with all that is said of it."""

    line: ImportLine
    name: str
    changes: list[Change]
    problems: list[str]


class LineTexts:
    """Puts lines into words of the active language."""

    def __init__(self, taxonomy: Taxonomy) -> None:
        self._taxonomy = taxonomy
        self.columns = column_names(taxonomy)
        self._statuses = {status.value: str(status.label) for status in Product.Status}

    def shown(self, line: ImportLine) -> ShownLine:
        """Return a line for a page."""
        cells = line.cells
        return ShownLine(
            line=line,
            name=line.sku or str(cells.get("sku") or cells.get("name") or cells.get(IMAGES, ""))[:120],
            changes=[
                Change(
                    self.columns.get(one["column"], one["column"]), self._word(one, "before"), self._word(one, "after")
                )
                for one in line.changes
            ],
            problems=[sentence(one, self.columns) for one in line.problems],
        )

    def _word(self, change: dict[str, str], which: str) -> str:
        """A value's name, or the text as it is."""
        column, code = change["column"], change[which]
        if column == STATUS:
            return self._statuses.get(code, code)
        value = self._taxonomy.values.get(column, {}).get(code)
        if value is not None:
            return value.name
        return "—" if code == NOT_APPLICABLE and column in self._taxonomy.attributes else code.replace("|", ", ")
