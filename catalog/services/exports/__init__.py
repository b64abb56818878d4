"""Products as files: CSV, XLSX, or a ZIP with their images; mapped to a marketplace's taxonomy if wanted.

- `choice`: which products, and how they are written.
- `lines`: the products as lines, read in batches from wherever the last one ended.
- `files`: the lines as a file, in constant memory.
- `running`: a large export is an operation, which a worker writes from beginning to end.
- `preview`: what a mapping says of the chosen products, and which of their values it does not know.
"""

from catalog.services.exports.choice import ExportChoice, Format
from catalog.services.exports.files import csv_chunks, file_chunks, write_xlsx, zip_chunks
from catalog.services.exports.lines import ExportLines, count_up_to
from catalog.services.exports.preview import MappingPreview, preview_mapping
from catalog.services.exports.running import KIND, at_once_limit, of_merchant, run, start

__all__ = [
    "KIND",
    "ExportChoice",
    "ExportLines",
    "Format",
    "MappingPreview",
    "at_once_limit",
    "count_up_to",
    "csv_chunks",
    "file_chunks",
    "of_merchant",
    "preview_mapping",
    "run",
    "start",
    "write_xlsx",
    "zip_chunks",
]
