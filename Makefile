# Everything works in a fresh clone; what is already done is not done again.
#
#   make run         start the site and its worker          make test        every check, on SQLite and on MariaDB
#   make lint        style, types and words only            make format      put the style right
#   make test ARGS="tests/api -k upload"   only these tests, on SQLite alone and without lint: seconds instead of minutes
#   make messages    extract the texts to translate         make acceptance  the long proofs, from quality to new fashion
#   make bench       speed against the original's pipeline, and 1,000 images through the API
#   make bench-queue the queue's speed behind a long history
#   make bench-lists lists of products at a million of them (half an hour, MariaDB)
#   make export-proof 1,000,000 products exported in constant memory; 10,000 exported, changed and imported (MariaDB)
#   make bulk-proof   publish 10,000 products and undo it while processes are killed (half an hour, MariaDB)
#   make import-proof 1,000 products with 4,000 photos while processes are killed, and hostile files (MariaDB)
#   make idempotency-proof  200 parallel posts with 20 Idempotency-Keys while web processes are killed (MariaDB)
#   make chaos       2,000 images while processes are killed at every point, and database, disk and clocks fail (MariaDB)
#   make stack       the main job through nginx, two web processes, two workers, Redis, RabbitMQ and S3 (minutes)
#   make load        many callers at once, a backlog beside people, memory over half an hour (an hour, MariaDB)
#   make webhooks-proof  every event arrives though receiver and workers are killed; slow ones slow nothing (MariaDB)
#   make celery-proof  workers on machines of their own behind RabbitMQ and Redis, killed and cut off (half an hour, root)
#   make bench-celery 1, 2 and 4 workers, woken by the database, Redis and RabbitMQ (40 minutes, root)
#   make bench-admin the admin's lists at a million rows (half an hour, MariaDB)
#   make bench-scale  queue, sweeps, review, figures, exports and audit at a million products (half an hour, MariaDB)
#   make bench-portal keys and waiting of the review, clicks and seconds of a first product, in a browser
#   make backup-proof a backup made beside a site that is used restores to the same answers (MariaDB)
#   make upgrade-proof  the release before passes its tests on the tables of this one (MariaDB)
#   make fuzz        10,000 requests to the API by schemathesis, with all its checks (half an hour, MariaDB)
#   make lock        requirements*.lock, after a change of requirements*.txt or constraints.txt
#   make audit       packages with known holes               make sbom        what the site consists of (CycloneDX)
#   make hostile-proof  600 bad images by every way in, and the memory of each (a quarter of an hour, MariaDB)
#   make fuzz-decoder   look for images that the decoder cannot cope with (an hour; FUZZ_SECONDS=60 for a minute)
#   make client      the Python client as a wheel, in clients/python/dist
#   make outfits     which garment of an outfit is proposed as the product

PYTHON ?= python3
DATA ?= ../shared/garments
WORN ?= ../shared/worn

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHON
.DEFAULT_GOAL := run

# A set of requirements is installed once; another set has another name.
digest = $(shell cat $(1) | cksum | cut -d' ' -f1)
RUN_READY := .venv/.run-$(call digest,requirements.lock)
TEST_READY := .venv/.test-$(call digest,requirements.lock requirements-dev.lock)
TOOLS_READY := .venv-tools/.ready-$(call digest,requirements-tools.lock)
MESSAGES := $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/*.po))
SOURCES := manage.py core accounts webhooks catalog classifier vision config demo scripts tests clients $(wildcard benchmarks)

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Otjang needs Python 3.11 or newer; say which with PYTHON=…" if sys.version_info < (3, 11) else 0)'
	@scripts/system_packages run
	$(PYTHON) -m venv .venv

$(RUN_READY): | .venv/bin/python
	scripts/install requirements
	@touch $@

$(TEST_READY): $(RUN_READY)
	@scripts/system_packages test
	scripts/install requirements-dev
	@touch $@

# Not in .venv: what looks at the site's packages is none of them.
$(TOOLS_READY):
	$(PYTHON) -m venv .venv-tools
	PATH=$(CURDIR)/.venv-tools/bin:$$PATH scripts/install requirements-tools
	@touch $@

var/secret_key:
	@mkdir -p var
	@umask 077 && $(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(50))' > $@

%.mo: %.po | $(RUN_READY)
	msgfmt --check-format -o $@ $<

.PHONY: setup run test lint format messages openapi acceptance bench bench-queue bench-lists bench-admin bench-portal bulk-proof import-proof export-proof idempotency-proof webhooks-proof backup-proof upgrade-proof load celery-proof bench-celery chaos lock audit sbom stack hostile-proof fuzz-decoder bench-scale fuzz client outfits

setup: $(RUN_READY) var/secret_key $(MESSAGES)

run: setup
	python manage.py prepare
	@exec python scripts/start.py  # in the place of the shell, which would keep signals to itself

lint: setup $(TEST_READY)
	ruff check $(SOURCES)
	ruff format --check $(SOURCES)
	python scripts/check_bandit.py $(filter-out tests benchmarks,$(SOURCES))
	mypy $(filter-out tests clients,$(SOURCES))
	MYPYPATH=clients/python/src mypy -p otjang
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
	DATABASE_URL=sqlite://:memory: pytest -n 3 --dist worksteal
	# Not twice: what no database decides (tests/conftest.py leaves it out), and tests/browser, which is about scripts.
	scripts/with_mariadb pytest -n 3 --dist worksteal --ignore tests/vision --ignore tests/browser
endif

messages: setup
	python manage.py makemessages --locale ko --no-wrap --no-obsolete --add-location file --ignore .venv --ignore tests --ignore var

openapi: setup
	python manage.py spectacular --lang en --validate --fail-on-warn --file docs/openapi.yaml

acceptance: setup $(TEST_READY)
	python benchmarks/quality.py --data $(DATA) --worn $(WORN)
	python benchmarks/outfits.py --data $(DATA) --worn $(WORN)
	python benchmarks/kill.py --data $(DATA)
	python benchmarks/reclassify.py
	python benchmarks/outage.py
	python benchmarks/kfashion.py --files 20000
	python benchmarks/new_fashion.py

bench: setup $(TEST_READY)
	status=0; python benchmarks/pipeline.py --data $(DATA) || status=$$?; \
	scripts/with_mariadb python benchmarks/api_images.py --data $(DATA) --worn $(WORN) || status=$$?; \
	scripts/with_mariadb python benchmarks/api_images.py --data $(DATA) --worn $(WORN) --kept || status=$$?; exit $$status

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

bench-scale: setup $(TEST_READY)
	MARIADB_BUFFER_POOL=1G scripts/with_mariadb python benchmarks/scale.py

export-proof: setup $(TEST_READY)
	MARIADB_BUFFER_POOL=1G scripts/with_mariadb python benchmarks/exports.py
	ROUND_TRIP_PRODUCTS=10000 scripts/with_mariadb pytest -q tests/portal/test_round_trip.py -k exactly

idempotency-proof: setup $(TEST_READY)
	scripts/with_mariadb python benchmarks/idempotency.py

webhooks-proof: setup $(TEST_READY)
	scripts/with_mariadb python benchmarks/webhooks.py

backup-proof: setup $(TEST_READY)
	scripts/with_mariadb python benchmarks/backup.py $(ARGS)

celery-proof: setup $(TEST_READY)
	@scripts/system_packages stack
	status=0; for broker in rabbitmq redis; do python benchmarks/celery_proof.py --broker $$broker $(ARGS) || status=1; done; exit $$status

bench-celery: setup $(TEST_READY)
	@scripts/system_packages stack
	python benchmarks/celery_speed.py $(ARGS)
	python benchmarks/celery_speed.py --sleep 30 $(ARGS)

# Root may mount the small disk that gets full; for others that step is left out, and the table says so.
chaos: setup $(TEST_READY)
	python benchmarks/chaos.py $(ARGS)

upgrade-proof: setup $(TEST_READY)
	scripts/with_mariadb python benchmarks/upgrade.py $(ARGS)

stack: setup $(TEST_READY)
	@scripts/system_packages stack
	python benchmarks/stack.py $(ARGS)

load: setup $(TEST_READY)
	MARIADB_BUFFER_POOL=1G scripts/with_mariadb python benchmarks/load.py $(ARGS)

fuzz: setup $(TEST_READY)
	python benchmarks/fuzz.py

# All three ask the package index.
lock: $(TOOLS_READY)
	.venv-tools/bin/python scripts/lock.py .venv-tools/bin/uv

audit: $(TOOLS_READY)
	@for set in requirements-production requirements-dev requirements-container requirements-tools; do \
		echo "$$set:"; .venv-tools/bin/pip-audit --strict --require-hashes --disable-pip --progress-spinner off $(ARGS) -r $$set.lock || failed=1; \
	done; test -z "$$failed"

sbom: $(TOOLS_READY)
	@mkdir -p var
	.venv-tools/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible -o var/sbom.json requirements-production.lock
	@echo var/sbom.json

hostile-proof: setup $(TEST_READY)
	python benchmarks/bad_images.py

FUZZ_SECONDS ?= 3600
fuzz-decoder: setup $(TEST_READY)
	pip install --quiet --disable-pip-version-check -r requirements-fuzz.txt
	python benchmarks/fuzz_decoder.py --seconds $(FUZZ_SECONDS)

client: setup $(TEST_READY)
	python -m build --wheel --no-isolation clients/python

bench-portal: setup $(TEST_READY)
	scripts/with_mariadb python benchmarks/portal.py

outfits: setup $(TEST_READY)
	python benchmarks/outfits.py --data $(DATA) --worn $(WORN)
