# Every command for developers and visitors. It needs make and Python >= 3.11 and nothing else: each
# goal makes its virtual environment under .venvs/ once, and again when setup.cfg changes.
#
#   make test PYTHON=python3.13 ARGS="-x -k packaging"
#   DEMO_PORT=8001 make demo

# PYTHON, or the first Python on PATH that is new enough.
ifndef PYTHON
PYTHON := $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)
endif
PYTHON_VERSION := $(shell $(or $(PYTHON),false) -c \
	'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)

# Each environment is named after the extra of setup.cfg that it holds. "lowest" holds the extra
# "test" with the oldest Django and redis-py that setup.cfg allows.
ENV := dev
EXTRA_lowest := test
PINS_lowest := 'Django~=5.2.0' 'redis~=5.0.0'
EXTRA_bench-ours := embedded,hiredis,prometheus
# rq-exporter requires an older redis-py, but works with the newest.
WITHOUT_DEPS := 'rq-exporter==3.1.*'
VENV := .venvs/$(ENV)-$(PYTHON_VERSION)
DEMO_VENV := .venvs/demo-$(PYTHON_VERSION)
BENCH_VENV := .venvs/bench-ours-$(PYTHON_VERSION)
ARGS :=
# Each has a server of its own. One that RQ_TEST_URL names cannot be shared.
TEST_PROCESSES := $(if $(RQ_TEST_URL),0,2)

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo test screenshots translations storm bench lint style types lua format test-matrix \
	dist clean usable-python

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r goal text; do \
		printf '  make %-12s %s\n' "$$goal" "$$text"; done
	@echo
	@echo '  PYTHON=python3.13 chooses the Python. ARGS="-x -k words" is passed to pytest.'
	@echo '  DEMO_PORT=8001 changes the port of the demo; RQ_URL=redis://host:6379/0 makes it use'
	@echo '  your server.'

demo: $(DEMO_VENV)/.ready ## Run a demo site with two workers
	@exec $(DEMO_VENV)/bin/python testproject/demo.py

test: $(VENV)/.ready ## Run the tests
	$(VENV)/bin/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS)

storm: $(VENV)/.ready ## Kill workers for a minute and check that no job is lost; ARGS=--help
	$(VENV)/bin/python -m tests.chaos.storm $(ARGS)

bench: $(BENCH_VENV)/.ready ## Compare the speed with RQ, Celery, dramatiq and huey; ARGS=--quick
	@$(BENCH_VENV)/bin/python -m benchmarks $(ARGS)

screenshots: $(VENV)/.ready ## Take the screenshots of the admin again; needs chromium
	@bash .ci/chromium
	$(VENV)/bin/python -m docs.screenshots.take

translations: $(VENV)/.ready ## Update the catalogues from the code; ARGS=de starts German
	$(VENV)/bin/python -m translations $(ARGS)

lint: style types lua ## Check style, types and the syntax of the Lua scripts

style: $(VENV)/.ready
	$(VENV)/bin/python -m ruff check .
	$(VENV)/bin/python -m ruff format --check .

types: $(VENV)/.ready
	$(VENV)/bin/python -m mypy

lua: $(VENV)/.ready
	$(VENV)/bin/python .ci/lua_syntax.py

format: $(VENV)/.ready ## Format the code
	$(VENV)/bin/python -m ruff check --fix .
	$(VENV)/bin/python -m ruff format .

test-matrix: ## Run the tests on each supported Python, the oldest dependencies and Redis 8
	@MAKE="$(MAKE)" bash .ci/matrix

dist: $(VENV)/.ready ## Build the sdist and the wheel into dist/
	rm -rf dist
	$(VENV)/bin/python -m build --outdir dist .

clean: ## Remove everything that these goals have made
	rm -rf .venvs .demo build dist *.egg-info .hypothesis .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is written last, so that an interrupted installation starts again.
.venvs/%-$(PYTHON_VERSION)/.ready: setup.cfg pyproject.toml | usable-python
	@echo "Making the environment $(@D), this takes a minute ..."
	@rm -rf $(@D)
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check \
		--editable '.[$(or $(EXTRA_$*),$*)]' $(PINS_$*)
	@$(if $(filter demo bench-ours,$*),,$(@D)/bin/python -m pip install --quiet --disable-pip-version-check \
		--no-deps $(WITHOUT_DEPS))
	@touch $@

usable-python:
	@if [ -z "$(PYTHON)" ]; then \
		echo "No Python 3.11 or newer found on PATH. Install one, or name it:" >&2; \
		echo "  make $(MAKECMDGOALS) PYTHON=/path/to/python3.13" >&2; \
		exit 1; \
	fi
	@if [ -z "$(PYTHON_VERSION)" ]; then \
		echo "PYTHON=$(PYTHON) does not run. Name a Python 3.11 or newer." >&2; \
		exit 1; \
	fi
	@if ! $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
		echo "PYTHON=$(PYTHON) is Python $(PYTHON_VERSION); django-rqlite needs 3.11 or newer." >&2; \
		exit 1; \
	fi
	@if ! $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then \
		echo "$(PYTHON) cannot make virtual environments: its module ensurepip is missing." >&2; \
		echo "On Debian and Ubuntu: apt install python$(PYTHON_VERSION)-venv" >&2; \
		echo "Or name another Python: make $(MAKECMDGOALS) PYTHON=/path/to/python3.13" >&2; \
		exit 1; \
	fi
