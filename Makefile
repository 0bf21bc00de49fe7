# Two commands make everything: `make report` and `make test`. `make help` lists the rest.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
LOCK := requirements.lock
# uv installs in seconds where it is present; pip does the same with the same lock.
UV := $(shell command -v uv 2>/dev/null)
ifdef UV
INSTALL := $(UV) pip install --quiet --python $(BIN)/python --constraint $(LOCK)
else
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(LOCK)
endif
# Kernels are compiled once here, not in every notebook of the first report.
# numba looks only at a function's own file for changes, not at what it calls: start from nothing.
# Two chains side by side: one takes about as long as the other.
COMPILE := find src -name '*.nb[ic]' -delete; \
  (for room in drift tax attribution rebalance; do $(BIN)/python -m workbench.$$room.compile || exit 1; done) & first=$$!; \
  for room in backtest learning; do $(BIN)/python -m workbench.$$room.compile || exit 1; done; wait $$first
# The report set-up has no torch; tests add their own tools; the lab has everything.
REPORT_EXTRAS := report,demo,policies,governance,copilot
DESK_EXTRAS := report,demo,policies,governance,copilot,llm,desk
TEST_EXTRAS := report,demo,policies,governance,copilot,llm,postgres,desk,oidc,compare,test,rl
# Statistics are held against empyrical; it asks for an older peewee than quantstats does and uses none of it here.
WITHOUT_DEPENDENCIES := empyrical-reloaded==0.7.1
LAB_EXTRAS := report,demo,policies,governance,copilot,llm,postgres,desk,oidc,compare,test,lab,rl

.PHONY: help report demo-desk test lab check format kernels lock clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1|/' | column -t -s '|'

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed, this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
ifdef UV
	$(UV) venv --quiet --python $(PYTHON) $(VENV)
else
	$(PYTHON) -m venv $(VENV)
endif

$(VENV)/.report: $(BIN)/python pyproject.toml $(LOCK)
	$(INSTALL) --editable '.[$(REPORT_EXTRAS)]'
	@$(COMPILE)
	@touch $@

$(VENV)/.desk: $(BIN)/python pyproject.toml $(LOCK)
	$(INSTALL) --editable '.[$(DESK_EXTRAS)]'
	@$(COMPILE)
	@touch $@ $(VENV)/.report

# torch first and by pip: an index or a local folder may offer a CPU build that uv would not look for.
TORCH := $(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip --upgrade >/dev/null; \
  $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint $(LOCK) torch

$(VENV)/.test: $(BIN)/python pyproject.toml $(LOCK)
	@$(TORCH)
	$(INSTALL) --editable '.[$(TEST_EXTRAS)]'
	$(INSTALL) --no-deps $(WITHOUT_DEPENDENCIES)
	@$(COMPILE)
	@touch $@ $(VENV)/.report $(VENV)/.desk

$(VENV)/.lab: $(BIN)/python pyproject.toml $(LOCK)
	@$(TORCH)
	$(INSTALL) --editable '.[$(LAB_EXTRAS)]'
	$(INSTALL) --no-deps $(WITHOUT_DEPENDENCIES)
	@$(COMPILE)
	@touch $@ $(VENV)/.report $(VENV)/.desk $(VENV)/.test

report: $(VENV)/.report ## Set up, build the demo firm, render the quarterly book, print its path
	@$(BIN)/workbench run params/quarterly.yml --firm demo --out reports/

demo-desk: $(VENV)/.desk ## Set up, build the demo firm and its signals, open the release desk on http://127.0.0.1:8400
	@$(BIN)/workbench desk --demo

test: $(VENV)/.test ## Set up with the test extras and run every check and test
	@$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest

check: $(VENV)/.test ## Lint, formatting and types
	$(BIN)/ruff check src tests benchmarks
	$(BIN)/ruff format --check src tests benchmarks
	$(BIN)/mypy

lab: $(VENV)/.lab ## Set up everything and open JupyterLab on the notebooks
	$(BIN)/jupyter lab notebooks/

format: $(VENV)/.test ## Format the code
	$(BIN)/ruff format src tests benchmarks
	$(BIN)/ruff check --fix src tests benchmarks

kernels: $(VENV)/.report ## Compile the kernels again, after a change to one
	@$(COMPILE)

lock: ## Resolve all versions again (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv: pip install uv"; exit 2; }
	@head -3 $(LOCK) > $(LOCK).new
	@uv pip compile --quiet --universal --python-version 3.11 --all-extras pyproject.toml --upgrade \
	  --no-header --no-annotate | grep -v -E '^(nvidia-|cuda-|triton)' >> $(LOCK).new
	@mv $(LOCK).new $(LOCK)

clean: ## Remove the set-up, the demo firm and the rendered books
	rm -rf $(VENV) build reports/*
