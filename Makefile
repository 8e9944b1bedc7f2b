# Needs make, a POSIX shell and Python 3.11 or newer. Everything else is installed into .venv on first use;
# the stamps .venv/.ready-* keep later runs short and depend on pyproject.toml.

PYTHON ?=
VENV := .venv
RUN := $(VENV)/bin/python

export PYTHON
# Settings for another environment must not leak into ours.
unexport PYTHONHOME PYTHONPATH PIP_USER PIP_TARGET PIP_PREFIX

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:  # the environments share pip's build directory and the tools already use two cores
.PHONY: help demo test check format bench busy calls soak fuzz browser figures lowest pythons foreign audit build clean always

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*  ## \(.*\)/\1|\2/p' Makefile | awk -F'|' '{ printf "  make %-8s %s\n", $$1, $$2 }'

demo: $(VENV)/.ready-runtime  ## hold a conversation with the local emulator: no account, no network
	@$(RUN) examples/quickstart.py

test: $(VENV)/.ready-dev  ## formatting, lint, types, tests, coverage: what continuous integration runs
	@$(RUN) scripts/check.py all

check: $(VENV)/.ready-dev  ## formatting, lint and types only
	@$(RUN) scripts/check.py static

format: $(VENV)/.ready-dev  ## rewrite the sources: formatting, import order, fixable lint
	@$(RUN) -m ruff check --fix .
	@$(RUN) -m ruff format .

bench: $(VENV)/.ready-dev  ## measure speed beside azure-ai-voicelive
	@$(RUN) benchmarks/run.py

busy: $(VENV)/.ready-dev  ## let both clients receive while their handler is busy, and count what arrives
	@$(RUN) scripts/busy_handler.py

calls: $(VENV)/.ready-dev  ## hold 100 telephone calls of each provider on one core, and see how late their audio is
	@$(RUN) benchmarks/calls/run.py

soak: $(VENV)/.ready-dev  ## break the connections of 200 sessions for five minutes, and look for what is lost
	@$(RUN) soak/run.py

fuzz: $(VENV)/.ready-dev  ## feed decoder, emulator and session with nonsense for ten minutes
	@$(RUN) fuzz/run.py

browser: $(VENV)/.ready-dev  ## let a headless Chromium talk with the pages of the examples, and look at the avatar
	@$(RUN) -m pytest tests_browser

figures: $(VENV)/.ready-figures  ## measure the resampler beside others, and draw the figures of docs/audio.md
	@$(RUN) benchmarks/resampling.py --write

lowest: .venv-lowest/.ready-lowest  ## run the tests with the oldest dependencies that are allowed
	@.venv-lowest/bin/python -m pytest

pythons:  ## run the tests on every supported Python of this machine
	@MAKE='$(MAKE)' sh scripts/pythons.sh

foreign: .venv-foreign/.ready-test  ## let openai, pydantic-ai and @azure/ai-voicelive (Node 20) talk with the emulator
	@sh scripts/foreign.sh

audit: $(VENV)/.ready-release  ## look up known vulnerabilities of everything installed
	@$(RUN) -m pip freeze --exclude-editable >$(VENV)/frozen.txt
	@$(RUN) -m pip_audit --strict --no-deps --disable-pip --requirement $(VENV)/frozen.txt

build: $(VENV)/.ready-release  ## build wheel and sdist, and check what is in them
	@rm -rf dist
	@$(RUN) -m build
	@$(RUN) scripts/check_dist.py

clean:  ## delete environments, caches and build products
	@rm -rf .venv .venv-* dist build htmlcov .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Only the package and what it needs at run time: what the demo waits for.
%/.ready-runtime: pyproject.toml scripts/setup_venv.sh scripts/find_python.sh
	@sh scripts/setup_venv.sh $* runtime

%/.ready-test: %/.ready-runtime
	@sh scripts/setup_venv.sh $* test

%/.ready-dev: %/.ready-runtime
	@sh scripts/setup_venv.sh $* dev

%/.ready-figures: %/.ready-runtime
	@sh scripts/setup_venv.sh $* figures

%/.ready-release: %/.ready-dev
	@sh scripts/setup_venv.sh $* release

%/.ready-lowest: pyproject.toml scripts/setup_venv.sh scripts/find_python.sh scripts/lowest_versions.py
	@PYTHON="$$(sh scripts/find_python.sh 3.11 || echo '$(PYTHON)')" sh scripts/setup_venv.sh $* lowest

.PRECIOUS: %/.ready-runtime %/.ready-test %/.ready-dev %/.ready-figures %/.ready-release %/.ready-lowest

# An environment whose interpreter is gone, or that came along when the checkout was copied, is made anew.
STALE := $(shell for venv in .venv .venv-*; do \
    test -x $$venv/bin/python && test "$$(cat $$venv/.checkout 2>/dev/null)" = "$$(pwd -P)" || echo $$venv; done)
$(STALE:%=%/.ready-runtime) $(STALE:%=%/.ready-lowest): always
