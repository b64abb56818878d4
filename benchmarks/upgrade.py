"""Proof that the release before runs on the tables of this one, so that processes can be replaced one by one.

Run it by `make upgrade-proof`, which gives it a private MariaDB. The release before makes its tables, as its
`manage.py migrate` does; this release migrates them; then the release before runs its own tests of API, portal and
worker on these tables, with its own code from git. It exits with 1 if one fails.

    make upgrade-proof
    make upgrade-proof ARGS="--ref 2026.12 tests/api"
    make upgrade-proof ARGS="--sql 'ALTER TABLE catalog_product ADD season INT NOT NULL'"   # must fail
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.sides import ROOT

TESTS = (
    "tests/api",
    "tests/portal/test_products.py",
    "tests/portal/test_review.py",
    "tests/portal/test_upload.py",
    "tests/portal/test_list_filters.py",
    "tests/catalog/test_uploads.py",
    "tests/classifier/test_worker_batches.py",
    "tests/classifier/test_worker_sweep.py",
)
PROCESSES = 2
DATABASES = [f"test_otjang_gw{number}" for number in range(PROCESSES)]  # pytest's, with xdist


def released() -> str:
    """Return the release before, as git knows it."""
    ref: str = json.loads((ROOT / "deploy" / "previous-release.json").read_text())["ref"]
    return ref


def unpack(ref: str, folder: Path) -> None:
    """Write the files of a release into a folder, with its compiled texts. Raises CalledProcessError: no such one."""
    archive = subprocess.run(["git", "archive", ref], cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
    subprocess.run(["tar", "-x"], cwd=folder, input=archive, check=True)
    for texts in folder.glob("locale/*/LC_MESSAGES/*.po"):
        subprocess.run(["msgfmt", "-o", texts.with_suffix(".mo"), texts], check=True)
    (folder / "var").mkdir(exist_ok=True)


def url_of(database: str) -> str:
    """Return the URL of another database on the server that DATABASE_URL names."""
    server, separator, options = os.environ["DATABASE_URL"].partition("?")
    return f"{server.rpartition('/')[0]}/{database}{separator}{options}"


def manage(folder: Path, database: str, *arguments: str) -> None:
    """Run a release's `manage.py` on a database."""
    environment = os.environ | {"DATABASE_URL": url_of(database), "SECRET_KEY": "only-for-the-proof-" * 3}
    subprocess.run([sys.executable, "manage.py", *arguments], cwd=folder, env=environment, check=True)


def sql(statement: str) -> None:
    """Run a statement on the server."""
    socket = os.environ["DATABASE_URL"].partition("unix_socket=")[2]
    command = ["mariadb", "--no-defaults", f"--socket={socket}", "--user=root", "-e", statement]
    subprocess.run(command, check=True)


def prepare(before: Path, database: str, extra: str) -> None:
    """Let the release before make its tables, and this one migrate them."""
    sql(f"CREATE DATABASE {database} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")
    manage(before, database, "migrate", "--verbosity=0")
    manage(ROOT, database, "migrate", "--verbosity=1")
    if extra:
        sql(f"USE {database}; {extra}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ref", default=released(), help="the release before; by default %(default)s")
    parser.add_argument("--sql", default="", help="a statement to run on the tables of this release")
    parser.add_argument("tests", nargs="*", default=TESTS, help="of the release before")
    options = parser.parse_args()
    if not os.environ.get("DATABASE_URL", "").startswith("mysql://"):
        sys.exit("run it by make upgrade-proof, which gives it a MariaDB")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="otjang-before-") as name:
        before = Path(name)
        unpack(options.ref, before)
        for database in DATABASES:
            prepare(before, database, options.sql)
        print(f"tables of this release after {time.monotonic() - began:.0f} s; tests of {options.ref} run on them")
        command = [sys.executable, "-m", "pytest", "-q", "-n", str(PROCESSES), "--reuse-db", *options.tests]
        status = subprocess.run(command, cwd=before).returncode
    print(f"{options.ref} on the tables of this release: {'passed' if status == 0 else 'FAILED'}")
    sys.exit(1 if status else 0)


if __name__ == "__main__":
    main()
