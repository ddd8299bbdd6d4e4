# What a person does with this tree. A machine with Python 3.11+, git and make is enough;
# the environment in .venv is made by the first verb that needs it.
VENV ?= .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
# The test Kubernetes and its neighbours are imported from tests/.
export PYTHONPATH := $(CURDIR)/tests
PYTEST := $(PY) -m pytest
KEEP ?=

.DEFAULT_GOAL := help
.PHONY: help demo test unit e2e lint format types bench cluster clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml
	@python=$$(for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done); \
	test -n "$$python" || { echo 'plane needs Python 3.11 or newer' >&2; exit 1; }; \
	echo "making $(VENV) with $$($$python --version) (once) ..."; \
	test -x $(PY) || $$python -m venv $(VENV) || { echo 'on Debian: apt install python3-venv' >&2; exit 1; }
	@$(PY) -m pip install --quiet --disable-pip-version-check --editable '.[server,dev]'
	@touch $@

demo: $(READY) ## Two real clusters, plane, a login, a recorded exec; KEEP=1 leaves it running
	@$(PY) -m demo $(if $(KEEP),--keep)

test: unit e2e ## Everything: the fast tests, then those on real clusters

unit: $(READY) ## The fast tests alone
	$(PYTEST) --ignore=tests/e2e $(ARGS)

e2e: $(READY) ## Real kubectl, real clusters, real identity provider
	@$(PY) -m cluster build >/dev/null
	$(PYTEST) tests/e2e $(ARGS)

lint: $(READY) ## ruff: rules and format
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .

format: $(READY) ## Let ruff write the format
	$(VENV)/bin/ruff format .

types: $(READY) ## mypy --strict
	$(VENV)/bin/mypy
	MYPYPATH=tests $(VENV)/bin/mypy -p cluster -p world -p demo -p bench

bench: $(READY) ## Cost beside nginx and a Go proxy, into .bench/latest.json
	$(PY) -m bench

cluster: $(READY) ## A test cluster to play with: make cluster NAME=west
	@$(PY) -m cluster up $(or $(NAME),west)

clean: ## Stop what a demo left running and delete what was made here
	@test ! -x $(PY) || $(PY) -m demo --stop
	rm -rf .demo .bench .mypy_cache .ruff_cache .pytest_cache .hypothesis
