# The recipes of the house. `make` alone lists them; a fresh machine needs Python 3.11+, make and a package registry.
# Each recipe sets up .venv first, once: pip install -c constraints.txt -e '.[all,dev]', and open_clip for its test.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

# The first Python that is new enough and can make a virtual environment. constraints.txt was frozen on 3.11.
# Another one: make PYTHON=/path/to/python3.12 test
PYTHON ?= $(shell for python in python3.11 python3 python3.12 python3.13 python3.14 /usr/bin/python3; do \
    "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; \
  done)
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

# Options of a recipe's command: make demo ARGS='--out build/other', make test ARGS='-k retrieval'
ARGS ?=
# Processes that `make test` runs on, each with one thread of torch; 0 for one that a debugger can stop.
WORKERS ?= 2
# LOCKED=1: what is installed is checked against the hashes of requirements.lock (Python 3.11, as CI has it).
LOCKED ?=
# Inputs that `make torture` tries on each door, and how often it ends each command in each of three ways. 2,000 inputs a door took
# 14 minutes, ten ends of every command but the demo 66, beside other work (docs/trust.md).
TRIES ?= 2000
KILLS ?= 10

.PHONY: help
help: ## list the recipes
	@grep -E '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | awk -F ':.*## ' '{printf "make %-12s %s\n", $$1, $$2}'

.PHONY: setup
setup: $(STAMP) ## make .venv with everything, from constraints.txt; done at most once by every other recipe

$(STAMP): pyproject.toml constraints.txt tests/openclip_requirements.txt
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer with venv was found: make PYTHON=/path/to/python3 $(MAKECMDGOALS)" >&2; exit 2; }
	@"$(BIN)/python" -c '' 2>/dev/null || { echo "Making $(VENV) with $(PYTHON)"; "$(PYTHON)" -m venv --clear "$(VENV)"; }
	@echo "Installing NotCLIP and what it needs into $(VENV) (minutes on a new machine, the largest part is torch)"
	$(if $(LOCKED),"$(BIN)/python" -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements.lock)
	"$(BIN)/python" -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[all,dev]'
	"$(BIN)/python" -m pip install -qq --disable-pip-version-check --no-deps -r tests/openclip_requirements.txt
	@touch $@

.PHONY: demo
demo: $(STAMP) ## the whole way on the drawn world: data, training, scores, staged release and a table (9 minutes)
	"$(BIN)/notclip" demo $(ARGS)

.PHONY: figures
figures: $(STAMP) ## check that README's and docs' figures are of docs/results, and those of the data built today (minutes)
	"$(BIN)/python" benchmarks/check_figures.py $(ARGS)

.PHONY: space
space: $(STAMP) ## the Space on http://127.0.0.1:7860: the last demo's release if there is one, else the embedded default
	NOTCLIP_SPACE_CACHE="$${NOTCLIP_SPACE_CACHE-build/space}" \
	NOTCLIP_SPACE_RELEASE="$${NOTCLIP_SPACE_RELEASE-$(if $(wildcard build/hub/manifest.json),build/hub,)}" \
	"$(BIN)/python" space/app.py $(ARGS)

.PHONY: browser-test
browser-test: $(STAMP) ## the Space in headless Chromium, which is installed by apt-get where it is missing (needs root)
	@command -v chromium >/dev/null || { apt-get update && apt-get install -y --no-install-recommends chromium; }
	"$(BIN)/python" -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[browser]'
	NOTCLIP_BROWSER_TEST=1 "$(BIN)/python" -m pytest tests/space $(ARGS)

.PHONY: test
test: $(STAMP) ## the tests (a few minutes)
	OMP_NUM_THREADS=1 "$(BIN)/python" -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

.PHONY: torture
torture: $(STAMP) ## an hour or more of hostile files, calls and kills (TRIES=500 KILLS=2 for less); prints a table of what was tried, held and fell
	NOTCLIP_TORTURE=$(TRIES) NOTCLIP_TORTURE_KILLS=$(KILLS) OMP_NUM_THREADS=1 "$(BIN)/python" -m pytest tests/torture -p no:cacheprovider $(ARGS)

.PHONY: lock
lock: ## write requirements.lock anew: the hashes of constraints.txt, but for torch, whose build differs by machine
	@test -x build/lock/bin/uv || { "$(PYTHON)" -m venv build/lock && build/lock/bin/python -m pip install -qq --disable-pip-version-check uv; }
	grep -v '^torch==' constraints.txt > build/lock/requirements.in
	build/lock/bin/uv pip compile --quiet --no-deps --generate-hashes --no-annotate --no-header --python-version 3.11 \
	  --output-file requirements.lock build/lock/requirements.in > build/lock/said.txt

.PHONY: audit
audit: ## look the locked packages up among the known vulnerabilities, where the registry tells of any
	@test -x build/audit/bin/pip-audit || { "$(PYTHON)" -m venv build/audit && build/audit/bin/python -m pip install -qq --disable-pip-version-check pip-audit; }
	build/audit/bin/pip-audit --no-deps --disable-pip --progress-spinner off --requirement requirements.lock > build/audit/report.txt \
	  || { cat build/audit/report.txt >&2; exit 1; }
	@echo "pip-audit: no known vulnerability; $$(grep -c 'could not be audited' build/audit/report.txt || true) of $$(grep -c == requirements.lock) packages are unknown to this registry"

# mypy and import-linter do not follow setuptools' editable mapping of modeling/ to notclip: they get the package as links.
ROOMS := dataset recaption scoring evaluate_metrics hub_cards space scripts
define link_package
@rm -rf build/package && mkdir -p build/package/notclip
@ln -s "$(CURDIR)"/modeling/* $(addprefix "$(CURDIR)"/,$(ROOMS) tests/loopback_hub) build/package/notclip/
endef

.PHONY: lint
lint: $(STAMP) ## what ruff has against the code's rules and its layout, and whether a room imports upwards
	"$(BIN)/ruff" check .
	"$(BIN)/ruff" format --check .
	$(link_package)
	PYTHONPATH=build/package "$(BIN)/lint-imports" --no-cache --no-logo

.PHONY: format
format: $(STAMP) ## let ruff lay out the code and mend what it can
	"$(BIN)/ruff" check --fix-only .
	"$(BIN)/ruff" format .

.PHONY: types
types: $(STAMP) ## check the types with mypy
	$(link_package)
	MYPYPATH=build/package "$(BIN)/mypy" | sed -E 's#^build/package/notclip/((dataset|recaption|scoring|evaluate_metrics|hub_cards|space|scripts)/)#\1#; s#^build/package/notclip/loopback_hub/#tests/loopback_hub/#; s#^build/package/notclip/#modeling/#'

.PHONY: dist
dist: $(STAMP) ## build the wheel and the source archive into dist/
	@rm -rf dist
	"$(BIN)/python" -m build --outdir dist .
	@rm -rf build/lib build/bdist.*
	@ls -l dist

.PHONY: check
check: test lint types dist ## what .ci/run does

.PHONY: clean
clean: ## remove what the recipes made, except .venv
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
