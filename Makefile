# install demo test check bench: the five things to do with a checkout.
#
# `make install` is the only way in: it makes .venv/ here and puts the pinned versions of requirements.lock
# into it, torch first. Everything else runs from there. Where a machine needs a wheel of torch from
# another index than pip's own: make install TORCH_ARGS="--index-url URL".

SHELL := bash
.DEFAULT_GOAL := help
.PHONY: help install demo test check docs assets bench
BIN := .venv/bin

help:
	@echo "make install   .venv/ with the pinned versions (a no-op when nothing changed)"
	@echo "make demo      learn Fashion-MNIST in 2 minutes, look at new pictures (5 minutes in all)"
	@echo "make test      every check and every test"
	@echo "make check     the checks that run nothing: ruff, mypy, layers, dependencies, generated pages"
	@echo "make docs      write the generated reference pages anew"
	@echo "make bench     every benchmark, with small settings: one JSON line each"

install:
	@bash scripts/install.sh

demo: install
	@bash scripts/demo.sh

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry src
	$(BIN)/python scripts/make_reference.py --check

docs: install
	$(BIN)/python scripts/make_reference.py

# Pretrained weights that tests need are fetched here, since the tests run offline.
assets: install
	@$(BIN)/ilk models get smollm2 || echo "assets: without it, the tests marked \`assets\` are deselected"

# A worker takes whole files: the blocks of a document build on each other. (loadgroup would do as well, but
# pytest-xdist 3.8 does not group under pytest 9.2.)
test: check assets
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile

bench: install
	@bash scripts/bench.sh
