# Everything a developer does here. Needs make and Python 3.11 or newer; the rest is set up on the way.
#
#   make demo PYTHON=python3.12      use another interpreter for a new .venv
#   make test ARGS="-k streaming"    hand arguments to pytest

SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
AGENT ?= examples/onboarding.py
ARGS ?=
DATABASE ?=

PACKAGES := packages/agent_runtime_core packages/agent_runtime_framework packages/django_agent_runtime

# The environment is made with the first interpreter that is new enough.
FIND_PYTHON = for candidate in $(if $(PYTHON),"$(PYTHON)",python3.11 python3 python3.12 python3.13 python); do \
		if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
			echo "$$candidate"; exit 0; \
		fi; \
	done; \
	echo "No Python 3.11 or newer found$(if $(PYTHON), as '$(PYTHON)')." >&2; \
	echo "Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; \
	exit 1

PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet
METADATA := $(addsuffix /pyproject.toml,$(PACKAGES))
INSTALL_PACKAGES = $(PIP) install --no-deps --no-build-isolation --no-index $(foreach p,$(PACKAGES),--editable $(p))

# Stamps: the second run finds them newer than what they depend on and starts at once.
# The development environment holds everything that the demonstration needs, so it stamps both.
DEMO_READY := $(VENV)/.demo-ready
DEV_READY := $(VENV)/.dev-ready

.PHONY: help
help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

$(BIN)/python:
	@python=$$($(FIND_PYTHON)) || exit 1; \
	echo "Creating $(VENV) with $$python ($$("$$python" -c 'import platform; print(platform.python_version())'))"; \
	"$$python" -m venv --clear $(VENV)

$(DEMO_READY): requirements/build.txt requirements/demo.txt $(METADATA) | $(BIN)/python
	@echo "Installing what the demonstration needs (once)"
	@$(PIP) install --require-hashes -r requirements/build.txt -r requirements/demo.txt
	@$(INSTALL_PACKAGES)
	@touch $@

$(DEV_READY): requirements/build.txt requirements/dev.txt $(METADATA) | $(BIN)/python
	@echo "Installing the development tools (once)"
	@$(PIP) install --require-hashes -r requirements/build.txt
	@$(PIP) install --require-hashes --no-build-isolation -r requirements/dev.txt
	@$(INSTALL_PACKAGES)
	@touch $(DEMO_READY) $@

.PHONY: demo
demo: $(DEMO_READY) ## Watch a whole journey, offline, without a key
	@$(BIN)/python -m examples.demo

.PHONY: chat
chat: $(DEMO_READY) ## Talk to a journey yourself, offline (AGENT=path/to/journey.py)
	@$(BIN)/agent-runtime chat $(AGENT) --provider offline $(ARGS)

.PHONY: django
django: $(DEV_READY) ## Talk to a journey on a page of a Django project (ARGS="127.0.0.1:8001" for another port)
	@$(BIN)/python examples/django_site/manage.py migrate --verbosity 0
	@$(BIN)/python examples/django_site/manage.py demo_user
	@$(BIN)/python examples/django_site/manage.py runserver $(ARGS)

.PHONY: durable
durable: $(DEV_READY) ## Kill workers while people talk to them, and count (DATABASE=postgresql://..., else SQLite)
	@$(BIN)/python -m examples.durable.chaos --database "$(DATABASE)" $(ARGS)

.PHONY: test
test: $(DEV_READY) ## Run every test (ARGS="-k words" for some of them)
	@$(BIN)/python -m pytest $(ARGS)

.PHONY: lint
lint: $(DEV_READY) ## Check format, rules, types and import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: fix
fix: $(DEV_READY) ## Format and mend what can be mended without thinking
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: bench
bench: $(DEV_READY) ## Measure (benchmarks/README.md says what and how)
	@set -e; for file in $(filter-out benchmarks/bench_peers.py,$(wildcard benchmarks/bench_*.py)); do \
		echo "== $$file"; $(BIN)/python "$$file" $(ARGS); \
	done

# Frameworks of others have an environment of their own: nothing of ours depends on them.
PEERS := .venv-peers
PEERS_READY := $(PEERS)/.ready

$(PEERS_READY): requirements/peers.txt | $(BIN)/python
	@echo "Installing what is measured beside ours (once)"
	@$(BIN)/python -m venv --clear $(PEERS)
	@$(PEERS)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/peers.txt
	@touch $@

.PHONY: bench-peers
bench-peers: $(DEV_READY) $(PEERS_READY) ## Measure beside other frameworks (some minutes; ARGS="rounds runs")
	@$(BIN)/python benchmarks/bench_peers.py $(PEERS)/bin/python $(ARGS)

# The locks carry versions and hashes, and no address: where packages come from is the reader's choice.
# dev.in holds everything, so it is solved first and the smaller sets take its versions. Extras stay in the locks:
# pip takes `coverage` for no pin of `coverage[toml]`, and then refuses as soon as there is a newer release.
LOCK = env -u UV_INDEX_URL -u UV_FIND_LINKS $(BIN)/uv pip compile --quiet --no-config --upgrade --universal \
	--python-version 3.11 --generate-hashes --no-strip-extras --no-emit-index-url \
	--custom-compile-command "make lock"

.PHONY: lock
lock: $(BIN)/python ## Renew requirements/*.txt from requirements/*.in
	@$(PIP) install 'uv>=0.9'
	@$(LOCK) requirements/dev.in --output-file requirements/dev.txt
	@$(LOCK) requirements/build.in --constraints requirements/dev.txt --output-file requirements/build.txt
	@$(LOCK) requirements/demo.in --constraints requirements/dev.txt --output-file requirements/demo.txt
	@$(LOCK) requirements/peers.in --constraints requirements/dev.txt --output-file requirements/peers.txt
	@echo "Read the changes (git diff requirements), then: make lint test"

.PHONY: clean
clean: ## Remove the environment and every cache
	rm -rf $(VENV) $(PEERS) build dist htmlcov .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
