# Everything starts here: `make demo` and `make test` work in a fresh clone with Python 3.11 and make.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3.11
STACK ?= local
VENV := .venv
CLOUD := .venv-cloud
BIN := $(VENV)/bin
UV := $(VENV)/bin/uv

.PHONY: help env demo test check preview build bench clean

help: ## list the verbs
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

$(VENV)/.ready: requirements/bootstrap.txt requirements/project.txt
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.txt
	@$(UV) pip sync --quiet --python $(BIN)/python --require-hashes requirements/bootstrap.txt requirements/project.txt
	@touch $@

$(CLOUD)/.ready: requirements/cloud.txt $(VENV)/.ready
	@$(UV) venv --quiet --clear --python $(PYTHON) $(CLOUD)
	@$(UV) pip sync --quiet --python $(CLOUD)/bin/python --require-hashes requirements/cloud.txt
	@touch $@

env: $(VENV)/.ready $(CLOUD)/.ready ## install the hash-locked environments

check: env ## lint, types, import contracts, state machine lint
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache --no-logo
	@$(BIN)/python -m infra.machine_lint

test: env ## run every test
	@$(BIN)/python -m pytest
