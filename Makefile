# Every verb works on a fresh machine with Python 3.11+, make and a network.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
WEB := geoshare/web
READY := $(VENV)/.ready
DIST := $(WEB)/dist/.ready
KERNELS := $(VENV)/.compiled
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)

.PHONY: help setup run test test-leaks conformance check format bench soak web clean

help:  ## List the verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 14

setup: $(READY) web $(KERNELS)  ## Install everything into .venv and build the web app

run: setup  ## Serve the sample town on http://127.0.0.1:8080 (GEOSHARE_PORT, GEOSHARE_DATA)
	@export GEOSHARE_PORT=$${GEOSHARE_PORT:-8080}; \
	$(BIN)/geoshare init --sample sample_data && $(BIN)/geoshare serve

test: setup  ## Run the tests
	@bash tests/prepare.sh
	$(BIN)/pytest

test-leaks: setup  ## Ask twin servers 100,000 questions under each tier, which takes an hour or more
	GEOSHARE_TEST_REQUESTS=$${GEOSHARE_TEST_REQUESTS:-100000} $(BIN)/pytest -n 0 -s tests/leaks

conformance: $(READY)  ## Ask a server the standards' tests: make conformance URL=https://... [KEY=...]
	@test -n "$(URL)" || { echo "make conformance URL=http://127.0.0.1:8080"; exit 1; }
	GEOSHARE_CONFORMANCE_URL=$(URL) GEOSHARE_CONFORMANCE_KEY=$(KEY) $(BIN)/pytest -n 0 -rs tests/conformance -k "not cql2"

check: $(READY)  ## Lint, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)  ## Put the code in its house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup  ## Measure speed side by side with peers (ratios, not a test)
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench.fetching
	$(BIN)/python -m tests.bench.sharing
	$(BIN)/python -m tests.bench.lanes
	$(BIN)/python -m tests.bench.copies
	$(BIN)/python -m tests.bench.arriving
	$(BIN)/python -m tests.bench.batches

soak: setup  ## Load a server for ten minutes and say whether its memory grows (not a test)
	$(BIN)/python -m tests.bench.soak --minutes 10

web: $(DIST)  ## Build the browser app

clean:  ## Remove what the other verbs made, but no data
	rm -rf $(VENV) $(WEB)/dist $(WEB)/node_modules .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "geoshare needs Python 3.11 or newer (with venv)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

$(KERNELS): $(READY) $(shell find tiles -name '*.py')
	@echo "Compiling the engine (about a minute, once)"
	@$(BIN)/python -m tiles.warm
	@touch $@

$(DIST): $(wildcard $(WEB)/*.html $(WEB)/*.ts $(WEB)/*.json) $(shell find $(WEB)/src $(WEB)/public -type f 2>/dev/null)
	@bash $(WEB)/build.sh
	@mkdir -p $(@D) && touch $@
