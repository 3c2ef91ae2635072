# Two commands: `make book` builds the book, `make test` runs every test.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: help book test live outputs release grade public lock clean

help:
	@echo "make book      build the book into _build/html/index.html"
	@echo "make test      run every test: library, notebooks, pages in a browser"
	@echo "make live      open the chapters in JupyterLab"
	@echo "make outputs   execute chapters and store their checked outputs (CHAPTERS=\"minimax ...\" for some)"
	@echo "make release   write the students' version of every lab to labs/release"
	@echo "make grade     run and mark what lies in labs/submitted/<student>/<lab> (LAB=lab1-images)"
	@echo "make public    write a copy without solutions, for your students' repository (OUT=../course)"
	@echo "make lock      write the versions installed in $(VENV) to constraints.txt"
	@echo "make clean     remove what was built"
	@echo "PYTHON=python3.12 chooses the interpreter of $(VENV), VENV=path its place."

# Installed once, and again when what is asked for has changed.
$(INSTALLED): pyproject.toml constraints.txt
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@

book: $(INSTALLED)
	$(BIN)/python book/_tools/bookbuild.py

# The tests build the book themselves, if it is missing or older than its sources. Two processes of one thread each:
# small nets gain nothing from a second thread. Files are not split: a browser, a site, a kernel serve a whole file;
# tests/conftest.py says in which order they come.
test: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -rs -n 2 --dist loadscope --no-loadscope-reorder --durations=15 \
		--nbval-lax --nbval-current-env --nbval-cell-timeout=300 --ignore=book/labs tests book

live: $(INSTALLED)
	$(BIN)/jupyter-lab --ServerApp.root_dir=book

outputs: $(INSTALLED)
	$(BIN)/python book/_tools/outputs.py $(CHAPTERS)

# nbgrader calls a program that lies beside it.
NBGRADER := cd labs && PATH="$(abspath $(BIN)):$$PATH" nbgrader

release: $(INSTALLED)
	$(NBGRADER) generate_assignment --force $(notdir $(wildcard labs/source/*))

grade: $(INSTALLED)
	$(if $(LAB),,$(error name the lab: make grade LAB=lab1-images))
	$(NBGRADER) autograde --force $(LAB)

# What is committed, without the labs' sources and without history, which holds them too.
public: release
	$(if $(OUT),,$(error name a folder that is not there yet: make public OUT=../course))
	mkdir $(OUT)
	git archive HEAD | tar -x -C $(OUT)
	rm -r $(OUT)/labs/source $(OUT)/tests/labs $(OUT)/tests/test_labs.py
	cp -r labs/release $(OUT)/labs/
	echo '!/release/' >> $(OUT)/labs/.gitignore

lock: $(INSTALLED)
	$(BIN)/python book/_tools/lock.py

clean:
	rm -rf _build
