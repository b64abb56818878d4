# Everything works in a fresh clone; what is already done is not done again.
#
#   make run         start the site and its worker          make test        every check, on SQLite and on MariaDB
#   make lint        style, types and words only            make format      put the style right
#   make test ARGS="tests/api -k upload"   only these tests, on SQLite alone and without lint: seconds instead of minutes
#   make messages    extract the texts to translate         make acceptance  the long proofs, from quality to new fashion
#   make bench       speed against the original's pipeline
#   make bench-queue the queue's speed behind a long history
#   make bench-lists lists of products at a million of them (half an hour, MariaDB)
#   make export-proof 1,000,000 products exported in constant memory; 10,000 exported, changed and imported (MariaDB)
#   make bulk-proof   publish 10,000 products and undo it while processes are killed (half an hour, MariaDB)
#   make import-proof 1,000 products with 4,000 photos while processes are killed, and hostile files (MariaDB)
#   make bench-admin the admin's lists at a million rows (half an hour, MariaDB)
#   make bench-portal keys and waiting of the review, in a browser
#   make outfits     which garment of an outfit is proposed as the product

PYTHON ?= python3
DATA ?= ../shared/garments
WORN ?= ../shared/worn

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHON
.DEFAULT_GOAL := run

# A set of requirements is installed once; another set has another name.
digest = $(shell cat $(1) | cksum | cut -d' ' -f1)
RUN_READY := .venv/.run-$(call digest,requirements.txt constraints.txt)
TEST_READY := .venv/.test-$(call digest,requirements.txt requirements-training.txt requirements-dev.txt constraints.txt)
MESSAGES := $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/*.po))
SOURCES := manage.py core accounts catalog classifier vision config demo scripts tests $(wildcard benchmarks)

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Otjang needs Python 3.11 or newer; say which with PYTHON=…" if sys.version_info < (3, 11) else 0)'
	@scripts/system_packages run
	$(PYTHON) -m venv .venv

$(RUN_READY): | .venv/bin/python
	pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(TEST_READY): $(RUN_READY)
	@scripts/system_packages test
	pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

var/secret_key:
	@mkdir -p var
	@umask 077 && $(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(50))' > $@

%.mo: %.po | $(RUN_READY)
	msgfmt --check-format -o $@ $<

.PHONY: setup run test lint format messages acceptance bench bench-queue bench-lists bench-admin bench-portal bulk-proof import-proof export-proof outfits

setup: $(RUN_READY) var/secret_key $(MESSAGES)

run: setup
	python manage.py prepare
	@exec python scripts/start.py  # in the place of the shell, which would keep signals to itself

lint: setup $(TEST_READY)
	ruff check $(SOURCES)
	ruff format --check $(SOURCES)
	mypy $(filter-out tests,$(SOURCES))
	python scripts/check_words.py
	lint-imports --no-cache --no-logo
	@if [ -x node_modules/.bin/tsc ]; then node_modules/.bin/tsc -p jsconfig.json; else echo "types of static/js: skipped (npm install gets the checker)"; fi

format: setup $(TEST_READY)
	ruff check --fix $(SOURCES)
	ruff format $(SOURCES)

# ARGS goes to pytest as it is; what CI runs is `make test` without it.
ifdef ARGS
test: setup $(TEST_READY)
	DATABASE_URL=sqlite://:memory: pytest $(ARGS)
else
test: lint
	DATABASE_URL=sqlite://:memory: python manage.py makemigrations --check --dry-run
	DATABASE_URL=sqlite://:memory: HTTPS=true ALLOWED_HOSTS=shop.example python manage.py check --deploy --fail-level WARNING
	DATABASE_URL=sqlite://:memory: python manage.py spectacular --validate --fail-on-warn --file /dev/null
	DATABASE_URL=sqlite://:memory: pytest -n 2 --dist worksteal
	# Not twice: what asks no database (tests/conftest.py leaves it out), tests/browser, which is about scripts, and two that
	# spend minutes in networks.
	scripts/with_mariadb pytest -n 2 --dist worksteal --ignore tests/vision --ignore tests/browser \
		--ignore tests/classifier/test_new_fashion.py --ignore tests/classifier/test_registry_original.py
endif

messages: setup
	python manage.py makemessages --locale ko --no-wrap --no-obsolete --add-location file --ignore .venv --ignore tests --ignore var

acceptance: setup $(TEST_READY)
	python benchmarks/quality.py --data $(DATA) --worn $(WORN)
	python benchmarks/outfits.py --data $(DATA) --worn $(WORN)
	python benchmarks/kill.py --data $(DATA)
	python benchmarks/reclassify.py
	python benchmarks/outage.py
	python benchmarks/kfashion.py --files 20000
	python benchmarks/new_fashion.py

bench: setup $(TEST_READY)
	python benchmarks/pipeline.py --data $(DATA)

bench-queue: setup $(TEST_READY)
	scripts/with_mariadb python benchmarks/job_queue.py
	scripts/with_mariadb python benchmarks/fair_share.py

bench-lists: setup $(TEST_READY)
	MARIADB_BUFFER_POOL=1G scripts/with_mariadb python benchmarks/lists.py

bulk-proof: setup $(TEST_READY)
	python benchmarks/bulk.py

import-proof: setup $(TEST_READY)
	python benchmarks/hostile_files.py
	python benchmarks/imports.py

bench-admin: setup $(TEST_READY)
	MARIADB_BUFFER_POOL=1G scripts/with_mariadb python benchmarks/admin_lists.py

export-proof: setup $(TEST_READY)
	MARIADB_BUFFER_POOL=1G scripts/with_mariadb python benchmarks/exports.py
	ROUND_TRIP_PRODUCTS=10000 scripts/with_mariadb pytest -q tests/portal/test_round_trip.py -k exactly

bench-portal: setup $(TEST_READY)
	scripts/with_mariadb python benchmarks/portal.py

outfits: setup $(TEST_READY)
	python benchmarks/outfits.py --data $(DATA) --worn $(WORN)
