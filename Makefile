# make demo | view | test | test-browser | check: each first makes .venv and installs what it needs;
# a second run is quick.
#
# PyTorch comes from wherever pip is configured to look. Without a configured CPU build pip takes
# PyPI's CUDA build; for the small one: PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu make …

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo view test test-browser slow check format clean
.DELETE_ON_ERROR:

demo: $(VENV)/.core
	$(BIN)/real3d demo -o demo

view: $(VENV)/.viewer
	$(BIN)/real3d view

# The pages are tested too where Chromium is installed (Debian: apt install chromium).
test: $(VENV)/.test
	$(BIN)/python -m pytest
	@if command -v chromium || command -v chromium-browser; then $(MAKE) test-browser; \
	  else echo "no Chromium: the tests of the pages were left out"; fi

test-browser: $(VENV)/.browser
	NODE_MODULES=$(VENV)/node_modules $(BIN)/python -m pytest -m browser

slow: $(VENV)/.test
	$(BIN)/python -m pytest -m slow

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist demo *.egg-info

# The virtual environment; --without-pip serves systems whose venv module lacks ensurepip.
$(VENV)/.python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "$(PYTHON) is older than Python 3.10: run make PYTHON=/path/to/a/newer/python3" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) 2>/dev/null || { $(PYTHON) -m venv --clear --without-pip $(VENV) && \
	  $(PYTHON) -m pip --python $(BIN)/python install pip; }
	sh .ci/system_libraries
	touch $@

# torch alone first: a CPU build, where pip finds one, then satisfies everything that asks for torch.
$(VENV)/.torch: $(VENV)/.python
	$(BIN)/python -m pip install -q "torch==2.13.*"
	touch $@

$(VENV)/.core: $(VENV)/.torch setup.cfg pyproject.toml
	$(BIN)/python -m pip install -q "torch>=2.13,<2.14" -e .
	touch $@

$(VENV)/.test: $(VENV)/.core
	$(BIN)/python -m pip install -q "torch>=2.13,<2.14" -e ".[test]"
	touch $@

$(VENV)/.viewer: $(VENV)/.core
	$(BIN)/python -m pip install -q "torch>=2.13,<2.14" -e ".[viewer]"
	touch $@

# three.js and the Khronos validator read the exported GLB; without npm those two tests are skipped.
$(VENV)/.browser: $(VENV)/.test
	$(BIN)/python -m pip install -q "torch>=2.13,<2.14" -e ".[browser]"
	@if command -v npm >/dev/null; then npm install --silent --no-save --prefix $(VENV) \
	  three@0.187 gltf-validator@2.0.0-dev.3.10 || echo "npm could not install three.js"; fi
	touch $@

$(VENV)/.dev: $(VENV)/.test
	$(BIN)/python -m pip install -q "torch>=2.13,<2.14" -e ".[dev]"
	touch $@
