"""Run bandit over folders and say what it finds. `python scripts/check_bandit.py FOLDER...`, part of `make lint`.

Ruff has most of bandit's checks under the same numbers, S608 for B608, and lines that are as they should be say so to
ruff: `# noqa: S608`. Bandit knows only marks of its own; here it heeds ruff's, so that one reason is given once. What
ruff does not look at is marked for bandit: `# nosec B703`.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

SKIPPED = {
    "B101": "assert narrows types, as ruff is told",
    "B105": "takes an empty text, or a name, for a password, which S105 does not",
    "B106": "the same, S106",
    "B308": "B703 looks at the same with an eye for what is constant",
    "B311": "chance is jitter and augmentation, as ruff is told",
    "B403": "importing pickle is nothing yet; S301 looks at its use",
    "B404": "importing subprocess is nothing yet",
    "B405": "importing ElementTree is nothing yet; S314 looks at what parses",
    "B603": "no shell is involved, as ruff is told",
    "B606": "no shell is involved, as ruff is told",
    "B607": "no shell is involved, as ruff is told",
}
SAME = {"B703": "S308"}  # mark_safe, found by two checks of bandit's


def is_marked(finding: dict[str, Any]) -> bool:
    """Whether a line of the statement says to ruff that it is as it should be."""
    test = finding["test_id"]
    code = SAME.get(test, f"S{test[1:]}")
    lines = Path(finding["filename"]).read_text().splitlines()
    first, last = finding["line_range"][0], finding["line_range"][-1]
    return any(re.search(rf"# noqa: [A-Z0-9, ]*\b{code}\b", line) for line in lines[first - 1 : last])


def main() -> None:
    """Exit with 1 where something is left."""
    command = [sys.executable, "-m", "bandit", "--quiet", "--format", "json", "--skip", ",".join(SKIPPED)]
    ended = subprocess.run([*command, "--recursive", *sys.argv[1:]], capture_output=True, text=True)
    if ended.returncode not in {0, 1}:
        sys.exit(ended.stderr)
    report = json.loads(ended.stdout)
    left = [finding for finding in report["results"] if not is_marked(finding)]
    for finding in left:
        print(f"{finding['filename']}:{finding['line_number']}: {finding['test_id']} {finding['issue_text']}")
    for error in report["errors"]:
        print(f"{error['filename']}: {error['reason']}")
    if left or report["errors"]:
        sys.exit("Mend it, or give the reason: # noqa: S608 - why; where ruff is silent, # nosec B608 - why")


if __name__ == "__main__":
    main()
