# Everything starts here: `make demo` and `make test` work in a fresh clone with Python 3.11 and make.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3.11
STACK ?= local
VENV := .venv
CLOUD := .venv-cloud
BIN := $(VENV)/bin
UV := $(VENV)/bin/uv
# with it every process compiles the providers' SDKs anew, a thousand modules: a deployment takes a third longer
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help env demo test campaign crash-full check preview build bench clean

help: ## list the verbs
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(VENV)/.ready: requirements/bootstrap.txt requirements/project.txt
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/bootstrap.txt requirements/project.txt
	@touch $@

$(CLOUD)/.ready: requirements/cloud.txt $(VENV)/.ready
	@$(UV) venv --quiet --clear --python $(PYTHON) $(CLOUD)
	@$(UV) pip sync --quiet --python $(CLOUD)/bin/python --require-hashes requirements/cloud.txt
	@touch $@

# no build backend: a wrapper beside the interpreter, and the checkout on its path
$(BIN)/keyturn: $(VENV)/.ready
	@printf '#!/bin/sh\nexec "$$(dirname "$$0")/python" -m keyturn "$$@"\n' > $@ && chmod +x $@
	@pwd > $(VENV)/lib/python3.11/site-packages/keyturn.pth

env: $(VENV)/.ready $(CLOUD)/.ready $(BIN)/keyturn ## install the hash-locked environments

demo: env ## start the sandbox, deploy the local stack, rotate three real credentials and prove the old ones dead
	@$(BIN)/python -m keyturn demo

preview: env ## print the declared resources of STACK (default local) and what differs from the stored baseline
	@$(BIN)/python -m infra.preview --stack $(STACK)

build: env ## build the function zips; print sizes and cold import times as ratios to their bare SDKs
	@$(BIN)/python -m artefacts build
	@$(BIN)/python -m artefacts report

bench: env ## calls, cost and time of one rotation, one look of the sweep, and how soon 50 subscribers follow
	@$(BIN)/python -m bench rotation
	@$(BIN)/python -m bench sweep
	@$(BIN)/python -m bench subscribers

check: env ## lint, types, import contracts, state machine lint
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache --no-logo
	@$(BIN)/python -m infra.machine_lint

test: env ## run every test
	@$(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder

campaign: env ## 100,000 steps in any order from a printed seed; a year of 10,000 policies; a million forgeries of each kind
	@$(BIN)/python -m tests.property.campaign
	@$(BIN)/python -m tests.property.year
	@$(BIN)/python -m tests.property.forgeries

crash-full: env ## SIGKILL functions of a sandbox at every effect of every run; how each ended, in bench/results
	@$(BIN)/python -m bench.crash

clean: ## stop the sandbox and leave nothing behind
	@if [ -x $(BIN)/python ]; then $(BIN)/python -m keyturn clean; fi
	@rm -rf $(VENV) $(CLOUD) build .sandbox .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
