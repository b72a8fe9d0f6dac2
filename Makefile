# Everything that can be done with this repository. Two commands do most of it: `make book` and `make test`.
# Needed beforehand: make and Python >= 3.11. All else goes into .venv.

PORT ?= 8000
# The tested set of versions; `make test CONSTRAINTS=` takes the newest ones instead.
CONSTRAINTS ?= constraints.txt
export CONSTRAINTS

PY := .venv/bin/python
INSTALLS := pyproject.toml $(CONSTRAINTS) tools/install.py
INSTALL = @python=$$(sh tools/find-python) && "$$python" tools/install.py

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: book build serve dev try test claims pictures notebooks lab weights bench bench-site bench-grade lighthouse look mutants fuzz check links format browser jail clean help

book: build serve  ## make the book and serve it on this machine (PORT=8000)

build: .venv/.test  ## make the book in _build/html, warnings as errors
	@$(PY) tools/build_book.py

serve: .venv/.test
	@$(PY) tools/serve.py --port $(PORT)

dev: .venv/.test  ## serve the book; build and reload its pages whenever a file is saved
	@$(PY) tools/dev.py --port $(PORT)

try: .venv/.test  ## run and show one chapter, and test what belongs to it (CHAPTER=08)
	@$(PY) tools/try_chapter.py "$(CHAPTER)"

test: .venv/.test  ## run every test: code, notebooks, book, browser
	@sh tools/get-chromium || true
	@sh tools/get-engines || true
	@sh tools/get-bubblewrap || true
	@sh tools/get-clang || true
	@$(PY) tools/run_tests.py

claims: .venv/.test  ## run every claim of the ledger, also those of which nothing has changed (20 minutes)
	@COURSEKIT_CLAIMS=all $(PY) -m pytest -q -n 2 tests/test_ledger.py

pictures: .venv/.test  ## take README's pictures from the built book, and renew its table of chapters (after make build)
	@$(PY) tools/readme.py --pictures

notebooks: .venv/.test  ## make the .ipynb beside each chapter and exercise anew
	@$(PY) tools/make_notebooks.py

lab: .venv/.lab  ## open JupyterLab on the chapters and exercises
	@.venv/bin/jupyter lab

weights: .venv/.test  ## train the weights that the chapters ship again (NAME=one_of_them)
	@$(PY) -m coursekit.experiments.recipes $(NAME)

bench: .venv/.test  ## print our speed against PyTorch's
	@$(PY) benchmarks/run.py

bench-site: .venv/.test  ## measure the built book in a browser (after make build)
	@$(PY) benchmarks/site.py

bench-grade: .venv/.test  ## grade 300 made submissions: speed, memory, balance (WRITE=1 keeps the table)
	@$(PY) benchmarks/grade_load.py $(if $(WRITE),--write)

lighthouse: .venv/.test  ## Lighthouse's scores of five pages on a phone (after make build; needs npx)
	@$(PY) benchmarks/lighthouse.py

look: .venv/.test  ## open every page in three engines at two widths, and list what is wrong (after make build)
	@$(PY) tools/look_at_pages.py --out test-artefacts/look

mutants: .venv/.mutants  ## break the mathematics line by line; list what no test notices (half an hour)
	@rm -rf mutants
	@OPENBLAS_NUM_THREADS=1 .venv/bin/mutmut run
	@.venv/bin/mutmut results

fuzz: .venv/.test  ## feed the grader random input for an hour (MINUTES=60)
	@$(PY) tools/fuzz.py --minutes $(or $(MINUTES),60)

check: .venv/.test  ## style, types, notebooks and README in step, links of the built book
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/mypy
	@$(PY) tools/make_notebooks.py --check
	@$(PY) tools/readme.py --check
	@$(PY) tools/build_book.py
	@$(PY) tools/check_links.py

links: .venv/.test  ## ask every other host that the book links to whether its page is still there
	@$(PY) tools/check_links.py --external

format: .venv/.test  ## bring the code into its format
	@.venv/bin/ruff check --fix
	@.venv/bin/ruff format

browser: .venv/.test  ## get Chromium, Firefox and WebKit for the browser tests
	@sh tools/get-chromium
	@sh tools/get-engines

jail:  ## get bubblewrap, which the grader locks submissions into
	@sh tools/get-bubblewrap

kernel: .venv/.test  ## compile the browser's loops of NumPy (after a change in live/kernel)
	@sh tools/get-clang
	@$(PY) live/kernel/build.py

clean:  ## remove everything that was made here: .venv, the book, caches
	rm -rf .venv _build dist reference test-artefacts .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' $(firstword $(MAKEFILE_LIST)) | awk -F'|' '{ printf "  make %-10s %s\n", $$1, $$2 }'

# One set for everything: after `make book` or `make dev`, pytest and ruff are there too.
.venv/.test: $(INSTALLS)
	$(INSTALL) test
	@touch $@

.venv/.mutants: $(INSTALLS)
	$(INSTALL) mutants
	@touch $@ .venv/.test

.venv/.lab: $(INSTALLS)
	$(INSTALL) lab test
	@touch $@ .venv/.test
