# make play    plays the checkpoint that ships with the project; ARGS="--output file:a.wav --for 10" passes options on
# make test    runs all tests, two at a time; ARGS="-k checkpoint" passes options on to pytest, as ARGS="-n 0": one at a time
# make lint    format, lint and types;  make check  lint and test
# make shipped-models AUDIO=folder    trains the checkpoints that ship
# make docs    writes the generated parts of the documentation anew
# make bench   runs `noizenet bench` and the benchmarks that need nothing else (the others say what they need)
# make figures    rough figures of this machine, in a minute, into build/bench.json;  make clean  removes all that make made
#
# The first `make play` or `make test` makes .venv; a stamp in it records what is installed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PLAY := $(VENV)/.installed-for-playing
DEV := $(VENV)/.installed-for-development
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip --quiet --quiet install --constraint constraints.txt
MINUTES ?= 10

BENCHMARKS := start tokens voices scaling live

.PHONY: play test check lint shipped-models docs bench figures clean

# On a terminal the daemon gets a process group of its own (set -m), so that Ctrl-C reaches it and not make: make then
# ends with the daemon's own exit status, 0. Without a terminal, a signal sent to the group must reach the daemon.
play: $(PLAY)
	@if [ -t 0 ]; then set -m; $(BIN)/noizenet daemon $(ARGS); else exec $(BIN)/noizenet daemon $(ARGS); fi

# Each of the two processes computes with one thread: two on the same two cores would wait for one another.
test: $(DEV)
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 $(ARGS)

check: lint test

lint: $(DEV)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

SMALL := --half --set axes=160 --set hidden=160 --set embedding=48 --set head_hidden=128 --licence "public domain"

shipped-models: $(DEV)
	@test -n "$(AUDIO)" || { echo "make shipped-models needs the folder of the recordings: make shipped-models AUDIO=folder" >&2; exit 2; }
	$(BIN)/noizenet train "$(AUDIO)/hungarian_dance_5.ogg" --minutes $(MINUTES) $(SMALL) \
	  --out daemon/noizenet_daemon/models/orchestra.safetensors \
	  --attribution "Brahms, Hungarian Dance no. 5, U.S. Army Strings (Musopen)"
	$(BIN)/noizenet train "$(AUDIO)/humpback.ogg" --minutes $(MINUTES) $(SMALL) \
	  --out daemon/noizenet_daemon/models/whale.safetensors \
	  --attribution "humpback whale song, Glacier Bay, U.S. National Park Service (Chris Gabriele, 2020)"

docs: $(DEV)
	@$(BIN)/python docs/generate.py

bench: $(DEV)
	@$(BIN)/noizenet bench
	@for name in $(BENCHMARKS); do echo "== $$name"; $(BIN)/python benchmarks/$$name.py || exit; done

figures: $(DEV)
	@mkdir -p build
	@$(BIN)/noizenet bench --json --quick --hidden 48 paper-lstm mulaw samplernn tokens \
	  daemon/noizenet_daemon/models/orchestra.safetensors > build/bench.json
	@echo "build/bench.json"

clean:
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "NoizeNet needs Python 3.11 or newer, and '$(PYTHON)' is not: name one that is, as in make play PYTHON=python3.12" >&2; exit 2; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || \
	  { echo "$(PYTHON) lacks the module venv: install it (Debian and Ubuntu: apt-get install python3-venv)" >&2; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

$(PLAY): $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing what playing needs into $(VENV) (once; a minute or two, no PyTorch) ..."
	@$(PIP) --editable '.[daemon]'
	@touch $@

$(DEV): $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing everything into $(VENV) (once; some minutes, most of them for PyTorch) ..."
	@$(PIP) --editable '.[dev]'
	@touch $(PLAY) $@
