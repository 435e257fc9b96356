# Every entry point of membus. A fresh machine needs Python 3.11 or later and make; the rest is set up here.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
PY := .venv/bin/python
export PYTHONPATH := .:layers/membus/python:sdk/python/src
unexport PYTHONDONTWRITEBYTECODE # compiled once, every process of a test run starts in half the time
LOCKS := requirements/dev.txt requirements/minilm.txt
ENV ?= dev
# Processes of a test run. One more than two cores have, since the tests of the stack mostly wait.
WORKERS ?= 3
PYTEST := $(PY) -m pytest -n $(WORKERS)

.PHONY: help setup demo up down status test nightly pgbouncer typescript check fmt unit integration e2e build init plan apply bench bench-erase bench-tenants bench-extract bench-chat bench-gate bench-search search-weights lock openapi docs

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/ready ## create .venv from the locked requirements

.venv/ready: $(LOCKS) requirements/bootstrap.txt
	@$(PYTHON) -c 'import sys, venv; sys.exit("membus needs Python 3.11 or later, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@echo "setting up .venv (once, from locked and hashed requirements)"
	@$(PYTHON) -m venv .venv && $(PY) -m pip install -q --require-hashes -r requirements/bootstrap.txt
	@.venv/bin/uv pip sync -q --python $(PY) --require-hashes requirements/bootstrap.txt $(LOCKS) && touch $@

demo: setup ## the main job: a week of one user's events becomes facts and changes an answer (INPUT=file for your own)
	@$(PY) -m scripts.demo $(if $(INPUT),--input "$(INPUT)") $(if $(LIMIT),--limit $(LIMIT)) $(if $(CONVERSATION),--conversation $(CONVERSATION))

up: setup ## start the local stack and deploy to it; leaves it running
	@$(PY) -m localstack up

down: setup ## stop the local stack
	@$(PY) -m localstack down

status: setup ## say what of the local stack runs, and where
	@$(PY) -m localstack status

test: check pgbouncer typescript ## everything: checks, unit, contract, Terraform, packaging, integration and end to end
	@$(PYTEST)

nightly: check pgbouncer typescript ## `make test` with every example, step and turn, where that takes a sample
	@MEMBUS_TESTS=nightly $(PYTEST)

pgbouncer: setup ## fetch PgBouncer, which stands in for RDS Proxy in a test, where it is not installed
	@$(PY) -m tests.support.pgbouncer

typescript: setup ## install and build the TypeScript client
	@$(PY) -m tests.support.typescript

check: setup ## format, lint, types and import contracts
	@.venv/bin/ruff format --check . && .venv/bin/ruff check . && .venv/bin/mypy . && .venv/bin/lint-imports

fmt: setup ## format Python and Terraform
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix-only . && $(PY) -m localstack terraform fmt -recursive terraform

unit: setup typescript ## the tests that need no socket
	@$(PYTEST) tests/unit

integration: setup pgbouncer ## contracts, Terraform and packaging
	@$(PYTEST) tests/contract tests/integration

e2e: setup typescript ## the deployed local stack, through its public doors
	@$(PYTEST) tests/e2e

build: setup ## function zips and layers for Lambda (arm64, Python 3.13), with sizes and SBOMs
	@$(PY) -m scripts.build

init: setup ## terraform init of ENV=dev|staging|prod, with the state bucket that terraform/bootstrap made
	@$(PY) -m localstack init $(ENV)

# Both check the backend before the build, which takes half a minute.
plan: setup ## terraform plan of ENV=dev|staging|prod
	@$(PY) -m localstack backend $(ENV) && $(PY) -m scripts.build
	@$(PY) -m localstack terraform -chdir=terraform/environments/$(ENV) plan

apply: setup ## terraform apply of ENV=dev|staging|prod
	@$(PY) -m localstack backend $(ENV) && $(PY) -m scripts.build
	@$(PY) -m localstack terraform -chdir=terraform/environments/$(ENV) apply

bench: setup ## figures: import time, requests and units per event, profile read and chat turn
	@$(PY) -m tests.benchmarks

bench-erase: setup ## what it takes to erase one user among 1,000: EPISODES=1000000
	@$(PY) -m tests.benchmarks.erasing $(EPISODES)

bench-extract: setup ## model calls, tokens and facts of a LoCoMo file, in calm and in a storm of copies (DATA=file)
	@$(PY) -m tests.benchmarks.extract $(if $(DATA),"$(DATA)")

bench-search: setup ## what search finds in LoCoMo and BEAM, beside baselines and Mem0 (DATA=folder, QUICK=1 for a taste)
	@$(PY) -m tests.benchmarks.search $(if $(DATA),"$(DATA)",data) $(if $(QUICK),--quick)

search-weights: setup ## fit the weights of search anew and write them to the layer (DATA=folder)
	@$(PY) -m tests.benchmarks.search $(if $(DATA),"$(DATA)",data) --write-weights

bench-chat: setup ## whole LoCoMo and BEAM conversations through chat: tokens, cost, evidence, slots, work (DATA=folder, QUICK=1)
	@$(PY) -m tests.benchmarks.chat $(if $(DATA),"$(DATA)",data) $(if $(QUICK),--quick)

bench-gate: setup ## precision and recall of the gate on the labelled utterances
	@$(PY) -m tests.benchmarks validation situations

bench-tenants: setup ## search among many tenants: ROWS=1000000 TENANTS=1000 DIMENSIONS=384
	@ROWS=$(ROWS) TENANTS=$(TENANTS) DIMENSIONS=$(DIMENSIONS) $(PY) -m tests.benchmarks search_tenants

openapi: setup ## write functions/api/openapi.json anew from the code, and the TypeScript client's types from it
	@$(PY) -m scripts.openapi && $(PY) -m tests.support.typescript --generate

docs: setup ## write the generated parts of the documents anew from the code
	@$(PY) -m scripts.documents

lock: setup ## compile requirements/*.in to hashed *.txt
	@$(PY) -m scripts.lock
