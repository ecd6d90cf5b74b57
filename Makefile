# Every target sets up what it needs from a fresh clone; Python 3.13 and make are all a machine needs.
SHELL := /bin/bash
.DEFAULT_GOAL := help
ARCH ?= arm64
LOCAL_ARCH := $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64)
export PATH := $(CURDIR)/.venv/bin:$(PATH)
empty :=
space := $(empty) $(empty)
export MYPYPATH := $(subst $(space),:,$(addprefix $(CURDIR)/,$(wildcard functions/*)))
export PYTHONPATH := $(CURDIR):$(MYPYPATH)
export SAM_CLI_TELEMETRY := 0
# Each of the many processes of a test run would compile its imports anew where bytecode is not kept.
unexport PYTHONDONTWRITEBYTECODE
export POLICY_FILE ?= $(CURDIR)/layers/policy/policy.yaml
SETUP := .venv/.locked

help: ## Shows this
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(SETUP): uv.lock pyproject.toml layers/governor/pyproject.toml layers/management_api/pyproject.toml functions/preset_promotion/pyproject.toml functions/incident_picture/pyproject.toml functions/webhook_sender/pyproject.toml tools/bootstrap.txt
	@echo "setting up .venv (once) ..."
	@python3.13 -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r tools/bootstrap.txt
	@.venv/bin/uv sync --quiet --frozen --inexact
	@touch $@

setup: $(SETUP) ## Installs the locked tools into .venv

requirements: $(SETUP) ## Rewrites every requirements.txt from uv.lock
	@tools/requirements.sh

build: $(SETUP) ## sam build for AWS (ARCH=arm64 or x86_64)
	ARCH=$(ARCH) sam build --parameter-overrides Arch=$(ARCH)

stack: $(SETUP) ## sam build for this machine, into build/stack
	@python -m sandbox.build

cli: $(SETUP) ## The command line's help: what `governor` can do (.venv/bin/governor)
	@governor --help

demo: $(SETUP) ## The built stack, a virtual organization, and a night on which things go wrong
	@python -m sandbox.scenario

play: $(SETUP) ## The stack on one page, to be seen and touched: http://127.0.0.1:8790 (PORT=...)
	@python -m sandbox.play --port $(or $(PORT),8790)

play-test: $(SETUP) ## The page of `make play` in Chromium, which the machine must have: the tour, keys, contrast (KEEP_IMAGES=1)
	@uv sync --quiet --frozen --inexact --group browser
	@pytest -q tests/browser

test: $(SETUP) ## All tests but the benches
	@# Long files first, in this order, so that the short ones at the end keep both workers busy.
	@pytest -q -n 2 --dist loadfile --no-loadscope-reorder tests/faults tests/e2e tests/accidents/test_by_hand.py tests/contract tests/unit

long: $(SETUP) ## Tests that take minutes and are not in `make test`: a week of an adopted account, commands on 10,000 keys
	@$(MAKE) --no-print-directory stack
	@pytest -q tests/long

accidents: $(SETUP) ## What OpenRouter and people may do to a live account: each accident alone, and 300 drawn pairs
	@# The longest first and one at a time, so that neither worker ends long before the other.
	@pytest -q -n 2 --maxschedchunk 1 --durations 5 tests/accidents/test_far_side.py tests/accidents/test_[!f]*.py

check: $(SETUP) ## Style, types, import rules, template, policy, dependency audit
	ruff check .
	ruff format --check .
	mypy
	python -m tools.import_rules
	@tools/requirements.sh --check
	@mkdir -p build && python -m tools.policy build layers/policy/policy.yaml build/policy
	sam validate --lint --region us-east-1
	pytest -q tests/contract/template
	uv export --quiet --frozen --no-emit-workspace --all-groups --format requirements-txt > build/audit.txt
	python -m tools.audit build/audit.txt
	python -m tools.audit tests/contract/litellm_client/requirements.txt
	python -m tools.audit tests/contract/focus_validator/requirements.txt

bench: $(SETUP) ## Ratios, each measured within one run: build/bench.json
	@python -m tests.bench

detector: $(SETUP) ## The runaway detector against eight traffic profiles and the naive rules: build/detector.json
	@python -m tests.bench.detector

cost: $(SETUP) ## A month's AWS bill at 50, 1,000 and 10,000 keys, from measured calls
	@python -m tests.bench.cost

sbom: $(SETUP) ## What is deployed, from uv.lock, as CycloneDX: build/sbom.json
	@mkdir -p build
	uv export --quiet --frozen --all-packages --no-dev --format cyclonedx1.5 --output-file build/sbom.json

clean: ## Removes what was built
	rm -rf build .aws-sam

.PHONY: help setup requirements build stack cli demo play play-test test long accidents check bench detector cost sbom clean
