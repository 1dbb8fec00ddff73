# Every target makes what it needs. `make demo` and `make test` suffice on a fresh Debian 12 with
# python3, python3-venv, git and make.

PYTHON ?= python3
PYTEST_ARGS ?= -n 3 --dist worksteal -m "not shipped"
# Its file made-from holds the hash of the lock that it was made from.
VENV := .venv
BIN := $(VENV)/bin
MISSING_VENV := The package python3-venv is missing. As root: apt-get install python3-venv

# $(call environment,LOCK,LOCKS THAT CONTAIN IT): seconds when nothing changed, whole after a kill.
define environment
	@set -eu; \
	command -v $(PYTHON) >/dev/null || { echo "The package python3 is missing. As root: apt-get install python3" >&2; exit 1; }; \
	for lock in $(1) $(2); do \
	  if [ "$$(cat $(VENV)/made-from 2>/dev/null)" = "$$(sha256sum < $$lock)" ] \
	     && $(BIN)/python -c 'import django' 2>/dev/null; then exit 0; fi; \
	done; \
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	  || { echo "Python 3.11 to 3.13 is needed; PYTHON=... names another." >&2; exit 1; }; \
	$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(MISSING_VENV)" >&2; exit 1; }; \
	echo "Making the environment from $(1) ..."; \
	rm -f $(VENV)/made-from; \
	$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV); \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1); \
	sha256sum < $(1) > $(VENV)/made-from
endef

.PHONY: demo demo-reset code ticket test quick busy bench lint format types lock demo-environment environment

demo: demo-environment
	@$(BIN)/python -m gatekeeper.demo

demo-reset: demo-environment
	@$(BIN)/python -m gatekeeper.demo reset

code: demo-environment
	@test -n "$(MEMBER)" || { echo "Whose? make code MEMBER=K-0193" >&2; exit 1; }
	@$(BIN)/python -m gatekeeper.demo code "$(MEMBER)"

ticket: demo-environment
	@test -n "$(NUMBER)" -a -n "$(STATE)" || { echo "Which? make ticket NUMBER=ZD-10401 STATE=solved" >&2; exit 1; }
	@$(BIN)/python -m gatekeeper.demo ticket "$(NUMBER)" "$(STATE)"

test: environment
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

# What a developer runs all day: every test without a database, and the gate's whole table.
quick: SHELL := /bin/bash
quick: environment
	@time $(BIN)/python -m pytest -n 2 --dist worksteal -m quick

# The suite beside two loops that do nothing: no test depends on how fast the machine is.
busy: environment
	@set -eu; for _ in 1 2; do sh -c 'while kill -0 $$0 2>/dev/null; do :; done' $$$$ & done; \
	  $(BIN)/python -m pytest $(PYTEST_ARGS)

bench: environment
	@$(BIN)/python -m tests.bench

TEMPLATES = gatekeeper staff tests
lint: environment
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/djangofmt --check $(TEMPLATES)

format: environment
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/djangofmt $(TEMPLATES)

types: environment
	@$(BIN)/mypy

# The locks name versions and hashes, no host. UPGRADE=--upgrade takes newer versions.
COMPILE = $(BIN)/uv pip compile --quiet --generate-hashes --no-header --no-emit-index-url \
	--python-version 3.11 --universal $(UPGRADE) pyproject.toml
lock: environment
	$(COMPILE) --output-file requirements.lock
	$(COMPILE) --extra demo --constraint requirements.lock --output-file requirements-demo.lock
	$(COMPILE) --extra demo --extra dev --constraint requirements-demo.lock --output-file requirements-dev.lock

demo-environment:
	$(call environment,requirements-demo.lock,requirements-dev.lock)

environment:
	$(call environment,requirements-dev.lock,)
