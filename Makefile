# `make help` lists what can be made.

PYTHON ?= python3
BIN := .venv/bin
# What the tests drive: three browser engines, PostgreSQL and Redis.
BROWSERS := chromium-headless-shell firefox-esr webkit2gtk-driver xvfb xauth fonts-dejavu-core
# What reads the files of deploy/.
DEPLOY := nginx systemd
TEST_PROCESSES ?= 3
PYTEST := $(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadgroup

# Where Python is told to write no bytecode, each of the hundreds of starts would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run worker test test-all lint types checks tests tests-quick tests-postgresql packages audit bench screenshot
.PHONY: format lock
.DEFAULT_GOAL := help

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-18s %s\n", $$1, $$2}' Makefile

run: .venv/run.stamp ## serve on http://localhost:8000; the first time, prepare everything
	@$(BIN)/python -m botpenguin.serve

worker: .venv/run.stamp ## send mail from here, for web servers that run with MAIL_WORKER=off
	@$(BIN)/python manage.py mail_worker

test: ## all checks and all tests; installs what they need
	@$(MAKE) --no-print-directory --jobs --output-sync=target lint types checks packages .venv/npm.stamp
	@$(MAKE) --no-print-directory tests
	@$(MAKE) --no-print-directory tests-postgresql

test-all: test .venv/audit.stamp ## those, and what is too slow for every run: to pass before a release
	$(PYTEST) -m "release and not audit"
	$(BIN)/python -m tests.postgresql $(PYTEST) -m "(matrix or release) and not browser"
	scripts/fresh-debian

lint: .venv/dev.stamp ## mistakes, format and import directions
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/djlint --quiet --lint templates
	$(BIN)/lint-imports --no-cache > .venv/lint-imports.log || { cat .venv/lint-imports.log; exit 1; }

types: .venv/dev.stamp ## types, strictly
	$(BIN)/mypy

checks: export DJANGO_SETTINGS_MODULE = tests.settings
checks: export STATE_DIR = .venv/checks
checks: .venv/dev.stamp ## migrations match the models, and settings fit for production
	@mkdir -p $(STATE_DIR)
	$(BIN)/python manage.py makemigrations --check --dry-run
	HTTPS=true $(BIN)/python manage.py check --deploy --database default --fail-level WARNING

tests: .venv/dev.stamp packages ## every test but the scanners and the slowest, on SQLite, with every branch covered
	$(PYTEST) --cov --cov-report=term -m "not audit and not release"

tests-quick: .venv/dev.stamp ## the tests that need nothing but Python, on SQLite
	$(PYTEST) --ignore tests/deploy --ignore tests/accounts/throttling -m "not (audit or browser or long or release or resilience or server)"

tests-postgresql: .venv/dev.stamp .venv/npm.stamp ## the tests that use a database, and the Observatory, on PostgreSQL
	scripts/debian-packages postgresql nginx
	$(BIN)/python -m tests.postgresql $(PYTEST) -m "not (browser or matrix or release)"

# After what may install python3-venv: two of apt at once get in each other's way.
packages: | .venv/bin/pip
	scripts/debian-packages $(BROWSERS) $(DEPLOY) postgresql redis-server

audit: .venv/npm-audit.stamp ## Lighthouse and html-validate on the log-in page and the token page
	scripts/debian-packages chromium fonts-dejavu-core
	$(BIN)/python -m tests.audit

bench: .venv/dev.stamp ## the bearer check beside its peers, as ratios, and with more processes and tokens
	scripts/debian-packages wrk postgresql
	$(BIN)/python -W ignore -m tests.benchmarks

screenshot: .venv/dev.stamp ## take the README's picture of the token page anew
	scripts/debian-packages chromium-headless-shell fonts-dejavu-core
	$(BIN)/python -m tests.browser.screenshot docs/token-page.png

format: .venv/dev.stamp ## put every file into the one format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Extras stay in the lock: without them pip, which wants a hash for each, may look for a newer version than is pinned.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--no-emit-index-url --no-emit-find-links --no-header
lock: .venv/dev.stamp ## write the lock files anew from pyproject.toml; UPGRADE=--upgrade takes newer versions
	$(LOCK) $(UPGRADE) pyproject.toml -o requirements.txt
	$(LOCK) $(UPGRADE) pyproject.toml --group dev -o requirements-dev.txt
	$(LOCK) $(UPGRADE) --fork-strategy requires-python --group audit -o requirements-audit.txt

.venv/run.stamp: requirements.txt | .venv/bin/pip
	$(BIN)/pip $(PIP_INSTALL) $<
	@touch $@

# Of what tools bring, most is never imported: it is compiled once it is. uv takes a tenth of pip's time. It knows nothing
# of how pip is configured: where pip has an index of its own, or uv reaches none, pip does the work.
PIP_INSTALL := install --quiet --disable-pip-version-check --require-hashes -r
INSTALL_INTO = { ! $(BIN)/pip config list | grep --quiet '\.index-url=' \
	&& $(BIN)/uv pip install --quiet --python $(1) --require-hashes -r $<; } \
	|| $(1) -m pip $(PIP_INSTALL) $< --no-compile

.venv/dev.stamp: requirements-dev.txt | .venv/bin/uv
	$(call INSTALL_INTO,$(BIN)/python)
	@touch $@

# The scanner wapiti pins other versions of libraries that we use: it has an environment of its own.
.venv/audit.stamp: requirements-audit.txt | .venv/bin/uv
	$(PYTHON) -m venv --clear .venv/audit
	$(call INSTALL_INTO,.venv/audit/bin/python)
	@touch $@

# The one that is locked.
.venv/bin/uv: | .venv/bin/pip
	@awk '/^[a-z]/ { is_uv = /^uv==/ } is_uv' requirements-dev.txt > .venv/uv.txt
	$(BIN)/pip $(PIP_INSTALL) .venv/uv.txt

# The Observatory's own install script would fetch a list of preloaded hosts, in which none of ours is.
NPM_CI = cd .venv/npm && PATH=$(CURDIR)/$(BIN):$$PATH npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
NPM_FILES := tests/audit/package.json tests/audit/package-lock.json
PRELOADED := .venv/npm/node_modules/@mdn/mdn-http-observatory/conf/hsts-preload.json
.venv/npm.stamp: $(NPM_FILES) | .venv/dev.stamp
	@mkdir -p .venv/npm && cp $(NPM_FILES) .venv/npm
	$(NPM_CI) --omit=dev
	@echo '{}' > $(PRELOADED) && touch $@

.venv/npm-audit.stamp: $(NPM_FILES) | .venv/dev.stamp
	@mkdir -p .venv/npm && cp $(NPM_FILES) .venv/npm
	$(NPM_CI)
	@echo '{}' > $(PRELOADED) && touch .venv/npm.stamp $@

.venv/bin/pip:
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || scripts/debian-packages python3-venv
	$(PYTHON) -m venv .venv
