"""Text in files that spreadsheets open."""

from __future__ import annotations

import re

# What a spreadsheet may take for the beginning of a formula, also in the wide forms of East Asian keyboards.
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")


def safe(text: str) -> str:
    """Return `text` so that no spreadsheet takes it for a formula: with an apostrophe before it. `plain` takes it off.

    A hyphen alone is not a formula.
    """
    return f"'{text}" if text != "-" and _FORMULA.match(text) else text


def plain(cell: str) -> str:
    """Return the text that `safe` wrote; any other as it is."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
