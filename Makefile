# Two commands on a fresh machine: `make demo` and `make test`. Both build .venv/ first.
PYTHON := .venv/bin/python
NOT_HERE := not postgres and not redis and not browser

.PHONY: help demo test check bench bench-ranking lock messages run-env dev-env

help:
	@echo "make demo      a portal with three people, on http://127.0.0.1:8000 (SERVE=0: all but serve)"
	@echo "make test      the suite on SQLite"
	@echo "make check     format, lint, types, imports, missing migrations, make test"
	@echo "make bench     the figures: tokens, ranking, budget"
	@echo "make bench-ranking  what learning saves, and whether the stated recall is true (SEED=0)"
	@echo "make lock      write requirements.txt and requirements-dev.txt anew from pyproject.toml"
	@echo "make messages  collect the texts to translate, and compile what is translated"

run-env:
	@BOOTSTRAP_GOAL="make $(or $(MAKECMDGOALS),demo)" sh bin/bootstrap run

dev-env:
	@BOOTSTRAP_GOAL="make $(or $(MAKECMDGOALS),test)" sh bin/bootstrap dev

demo: run-env
	@$(PYTHON) manage.py demo

test: dev-env
	@$(PYTHON) -m pytest -q -n 2 --dist worksteal -m "$(NOT_HERE)" $(ARGS); status=$$?; \
	echo "Not run here: the suite on PostgreSQL and Redis, and the pages in Chromium. They run by: bash .ci/run"; \
	exit $$status

check: dev-env
	@sh bin/lint
	@$(MAKE) --no-print-directory test

bench: dev-env
	@set -e; for table in $$(grep -l __main__ bench/*.py); do echo "== $$table"; $(PYTHON) -m bench.$$(basename $$table .py); done

# One thread, as the portal itself takes: another number sums in another order, and some papers change their place.
bench-ranking: export OPENBLAS_NUM_THREADS = 1
bench-ranking: dev-env
	@$(PYTHON) -m bench.ranking
	@$(PYTHON) -m bench.learned $(SEED)
	@echo "== lists that come twice, and receipts"; $(PYTHON) -m bench.twice
	@echo "== orders in papers and profiles"; $(PYTHON) -m bench.injection
	@echo "== a worker's day: memory and CPU"; $(PYTHON) -m bench.worker

# --universal: one file for Python 3.12 to 3.14 on every system. No index address is written into it.
COMPILE = .venv/bin/uv --no-config pip compile pyproject.toml --quiet --universal --python-version 3.12 \
	--generate-hashes --no-annotate --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
lock: dev-env
	@$(PYTHON) -m pip install --quiet uv
	@$(COMPILE) $(UPGRADE) --output-file requirements.txt
	@$(COMPILE) $(UPGRADE) --group dev --constraint requirements.txt --output-file requirements-dev.txt

messages: dev-env
	@$(PYTHON) manage.py makemessages --locale zh_Hans --no-location --no-wrap --ignore .venv --ignore var
	@$(PYTHON) bin/compile_messages.py
