# Needs Python 3.11+ and nothing else; everything is installed into .venv.
#   make demo     train, evaluate and query a small model
#   make test     style, types and all tests
# Another interpreter: make test PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
INSTALLED := $(VENV)/.installed

# OpenMP threads that spin while they wait slow a shared machine down by 3.8x.
export OMP_WAIT_POLICY := passive
export GOMP_SPINCOUNT := 0
export HF_HUB_OFFLINE := 1
unexport TOKENIZERS_PARALLELISM
# Without bytecode every import of torch and transformers compiles anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test check install clean
.DEFAULT_GOAL := test

demo: install
	$(VENV)/bin/python examples/demo.py

test: install
	scripts/check
	scripts/test

check: install
	scripts/check

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "FastBert needs Python 3.11 or newer; try: make PYTHON=python3.11 $(MAKECMDGOALS)" >&2; exit 1; }
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	@touch $@

# Keeps .venv; to start over, remove it: rm -rf .venv
clean:
	rm -rf build dist htmlcov .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find src tests examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
