# Everything lands in this checkout: uv and (where the machine has no 3.13) Python in .tools,
# packages in .venv, data in .battlescope.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON3 ?= python3
UV := .tools/uv/bin/uv
RUN := .venv/bin/
STAMP := .venv/.installed
CLIENTS := .tools/clients/.installed
export UV_SYSTEM_CERTS := true
export UV_PYTHON_INSTALL_DIR := $(CURDIR)/.tools/python
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help setup up test browsers pictures clients lint fmt bench lock openapi clean

help: ## show the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP) ## install uv, Python 3.13 and all packages into the checkout

$(UV): requirements/uv.txt
	@$(PYTHON3) -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --upgrade \
		--target .tools/uv --require-hashes -r requirements/uv.txt
	@touch $(UV)

$(STAMP): $(UV) requirements/dev.txt pyproject.toml .python-version
	@test -x .venv/bin/python || $(UV) venv --quiet .venv
	@$(UV) pip sync --quiet --require-hashes requirements/dev.txt
	@$(UV) pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $(STAMP)

up: setup ## run everything here: feed, queue, PostgreSQL, API (ARGS="--feed simulated --port 3000 ...")
	@$(RUN)battlescope up $(ARGS)

test: setup browsers ## run all tests (ARGS="-k name ...")
	@$(RUN)python -m pytest -n 2 $(ARGS)

clients: setup $(CLIENTS) ## make a Python and a TypeScript client from openapi.json, and use them
	@$(RUN)python -m pytest -q tests/clients

$(CLIENTS): $(UV) requirements/clients.txt tests/clients/package.json
	@rm -rf .tools/clients && mkdir -p .tools/clients
	@cp tests/clients/package.json tests/clients/.npmrc .tools/clients/
	@npm install --prefix .tools/clients --silent --no-audit --no-fund
	@$(UV) venv --quiet --python .venv/bin/python .tools/clients/venv
	@$(UV) pip sync --quiet --python .tools/clients/venv/bin/python --require-hashes requirements/clients.txt
	@touch $(CLIENTS)

browsers: ## install Chromium for the tests of the pages, where it is missing and apt-get is there
	@scripts/chromium.sh

pictures: setup browsers ## make the README's pictures of the pages
	@$(RUN)python -m scripts.pictures

lint: setup ## ruff and mypy
	@$(RUN)ruff check .
	@$(RUN)ruff format --check .
	@$(RUN)mypy

fmt: setup ## format, and mend what ruff can mend
	@$(RUN)ruff check --fix-only --quiet .
	@$(RUN)ruff format .

bench: setup ## run the benchmarks (ARGS="engine" for one of them)
	@$(UV) pip install --quiet --require-hashes -r requirements/bench.txt
	@$(RUN)python -m bench $(ARGS)

openapi: setup ## write openapi.json from the API
	@$(RUN)battlescope openapi > openapi.json

lock: $(UV) ## pin every package by hash into requirements/
	@for f in lambda server local; do \
		extra=$$([ $$f = lambda ] || echo --extra $$f); \
		$(UV) pip compile --quiet --universal --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links \
			--upgrade pyproject.toml $$extra -o requirements/$$f.txt; done
	@$(UV) pip compile --quiet --universal --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links \
		--upgrade pyproject.toml --extra local --group test --group lint requirements/build.in -o requirements/dev.txt
	@$(UV) pip compile --quiet --universal --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links \
		--upgrade requirements/bench.in -o requirements/bench.txt
	@$(UV) pip compile --quiet --universal --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links \
		--upgrade --python-version 3.13 requirements/clients.in -o requirements/clients.txt

clean: ## delete everything that was installed or stored here
	@rm -rf .venv .tools .battlescope .mypy_cache .ruff_cache .pytest_cache .hypothesis
