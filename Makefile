# Chores of a developer; agent_sync.py itself needs no build and no packages.
# GNU make 3.81 is enough, the one that macOS ships.

PYTHON = python3
VERSIONS = 3.9 3.10 3.11 3.12 3.13 3.14

export PIP_DISABLE_PIP_VERSION_CHECK = 1
# Plugins that happen to be installed must not decide whether the suite passes.
export PYTEST_DISABLE_PLUGIN_AUTOLOAD = 1

.PHONY: help test bench compat lint coverage matrix $(VERSIONS:%=matrix-%)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' Makefile

# A pytest that is there already will do, so that the tests run offline, too;
# "version_tuple" came with 7.0, the oldest that .pytest.ini accepts. On two cores
# two halves at once take hardly more than half the time; HALF names one of them.
HALF = Crash or EveryKind or Decide or Memory or Many or Update or Page or Hosts \
    or Kernel or ChangedSources

test: ## run the tests (ARGS='-k plan' picks some of them)
	@run=$(PYTHON); log=$$(mktemp); \
	$(PYTHON) -c 'from pytest import version_tuple' 2>/dev/null || { \
	    run=.venv/bin/python; $(MAKE) --silent .venv/bin/pytest || exit; }; \
	$(if $(ARGS),$$run -m pytest $(ARGS); status=$$?, \
	    $$run -m pytest -k '$(HALF)' >"$$log" 2>&1 & half=$$!; \
	    $$run -m pytest -k 'not ($(HALF))'; status=$$?; \
	    wait $$half || status=$$?); \
	cat "$$log"; rm -f "$$log"; exit $$status

compat: ## run a real claude-mpm on this file (from the package index; Python 3.11 or newer)
	@$(PYTHON) .ci/compat.py .venv/compat

bench: ## measure it beside git (BASE=FILE: and a previous agent_sync.py)
	@$(PYTHON) .ci/bench.py $(addprefix --base=,$(BASE)) $(ARGS)

lint: .venv/bin/ruff .venv/bin/mypy ## check the style and the type hints
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check --quiet agent_sync.py
	@.venv/bin/mypy

coverage: .venv/bin/pytest .venv/bin/coverage ## measure which branches the tests reach
	@.venv/bin/coverage erase --rcfile=.pytest.ini
	@.venv/bin/coverage run --rcfile=.pytest.ini -m pytest $(ARGS)
	@.venv/bin/coverage combine --rcfile=.pytest.ini --quiet
	@.venv/bin/coverage report --rcfile=.pytest.ini

# Two at once and no more: the suite has threads and child processes of its own.
matrix: ## run the tests with every Python from 3.9 to 3.14 found here
	@$(MAKE) --silent --jobs=2 --keep-going \
	    $(addprefix matrix-,$(or $(FOUND),$(error none of Python $(VERSIONS) found)))

$(VERSIONS:%=matrix-%): matrix-%: .venv/%/bin/pytest
	@.venv/$*/bin/python -m pytest $(ARGS) >.venv/$*/log 2>&1; status=$$?; \
	test $$status -eq 0 || cat .venv/$*/log; \
	echo "$$(.venv/$*/bin/python -V): $$(tail -n 1 .venv/$*/log)"; exit $$status

# A name on PATH may be a pyenv shim for a version that is not selected, or a
# Python that cannot make environments; so an interpreter has to answer first.
FOUND = $(foreach v,$(VERSIONS),$(if $(call python,$v),$v))
python = $(firstword $(foreach p,python$1 $(wildcard $(PYENV)/versions/*/bin/python$1),\
    $(shell $p -c 'import ensurepip' 2>/dev/null && echo $p)))
PYENV = $(or $(PYENV_ROOT),$(HOME)/.pyenv)

# Each tool's command is called like its package. An environment counts as made
# once it has pip: a Python without ensurepip leaves one behind that has not.
.venv/bin/%: | .venv/bin/pip
	@.venv/bin/pip install -qq $*

.venv/bin/pip:
	@$(PYTHON) -m venv .venv

.venv/%/bin/pytest:
	@$(call python,$*) -m venv .venv/$*
	@.venv/$*/bin/pip install -qq pytest
