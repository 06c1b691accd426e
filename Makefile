# Two commands: `make chat` and `make test`. Each sets up all it needs and does nothing twice.
#   TORCH=cpu         on Linux, take PyTorch's CPU build (200 MB) from PyTorch's own index
#   PYTHON=python3.12 another Python, 3.11 or newer
#   CHAT="--port N"   options for the chat page
#   WORKERS=4         processes that share the tests

PYTHON ?= python3
VENV ?= .venv
TORCH ?=
CHAT ?=
WORKERS ?= 2

BIN := $(VENV)/bin
CPU_INDEX := https://download.pytorch.org/whl/cpu
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALL := $(PIP) install -qq -c constraints.txt $(if $(filter cpu,$(TORCH)),--extra-index-url $(CPU_INDEX))

.PHONY: chat test test-long lint setup setup-dev clean help
.DEFAULT_GOAL := help

help:
	@echo "make chat       set up, index the starter library, open the chat page on http://127.0.0.1:7860"
	@echo "make test       set up and run the tests (about a quarter of an hour on two cores)"
	@echo "make test-long  the slow tests: the quality floors over full abstracts, and speed"
	@echo "make lint       ruff and mypy"
	@echo "make clean      remove the virtual environment and caches"
	@echo "Linux, without a CUDA card: add TORCH=cpu to the first of them for a much smaller download."

chat: setup
	@$(BIN)/assistant ui $(CHAT)

test: setup-dev
	@$(BIN)/pytest -m "not long" -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-long: setup-dev
	@$(BIN)/pytest -m long -n $(WORKERS) --dist loadfile --no-loadscope-reorder

lint: setup-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

setup: $(VENV)/.installed
setup-dev: $(VENV)/.installed-dev

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	@echo "Setting up $(VENV) (once; some minutes, mostly download)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.created pyproject.toml constraints.txt
	@if [ -z "$(TORCH)" ] && [ "$$(uname)" = Linux ] && $(PIP) install -q --dry-run --report - -c constraints.txt torch 2>/dev/null | grep -q '"name": "nvidia-'; \
	then echo "pip is about to download a CUDA build of torch, more than 1.2 GB. For the CPU build, stop this (Ctrl-C) and run: make chat TORCH=cpu"; fi
	@$(INSTALL) -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@$(INSTALL) -e ".[dev,anthropic,huggingface]"
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
