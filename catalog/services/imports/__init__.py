"""Products from files: a table, images, or both; checked first, then imported as an operation.

- `sending`: an import begins, takes files, is checked, started, or dropped.
- `sources`: its files opened, and which images belong to which line.
- `plans`: what a line says, and what would change.
- `checking`: the dry run. `running`: the import. `leased`: what they share.
- `report`: a line for each line.
"""
