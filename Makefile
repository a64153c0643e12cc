# Hivegate. `make help` lists what can be made.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help install build release run dev migrate test ci lint format test-thread test-security test-money test-cov fuzz bench \
	load-test health clean docker-build docker-run docker-check

VENV := .venv
# Each earlier generation of the clients needs an environment of its own, and so do the agents.
GENERATIONS := $(VENV)/generation-1 $(VENV)/generation-2
AGENTS := $(VENV)/agents
# One test at a time: many start servers and count what they leave behind.
# With Swift's own libraries inside: nothing else to carry along, and fewer instructions for each request.
RELEASE := swift build -c release --static-swift-stdlib --product hivegate
PROGRAM = "$$(swift build -c release --show-bin-path)/hivegate"
SWIFT_TEST := swift test --disable-xctest --no-parallel --quiet
PORT ?= 8080
HOST ?= 127.0.0.1
SECONDS_EACH ?= 60
export PORT HOST
COMPOSE_SECRETS := .hivegate/compose.env
COMPOSE := docker compose --env-file $(COMPOSE_SECRETS) -f docker/compose.yaml

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: ## Install what is missing to build and run (apt; root or sudo)
	@docker/install.sh build run
	@command -v swift >/dev/null || { echo "Swift 6.3 is not on PATH: see https://www.swift.org/install/linux"; exit 1; }

build: install ## Compile for development
	swift build

release: install ## Compile the optimised program, with Swift's own libraries inside: dist/hivegate
	$(RELEASE)
	mkdir -p dist
	install -m 755 $(PROGRAM) dist/hivegate

run: install ## Build optimised and serve, with databases of its own unless DATABASE_URL and REDIS_URL are set
	$(RELEASE)
	exec $(PROGRAM) serve

dev: install ## Build for development and serve with a readable log, mails in it
	swift build --product hivegate
	LOG_FORMAT=pretty LOG_LEVEL=debug MAIL_TO_LOG=true exec "$$(swift build --show-bin-path)/hivegate" serve

migrate: install ## Bring the database's schema up to date
	swift build --product hivegate
	exec "$$(swift build --show-bin-path)/hivegate" migrate

test: install $(VENV)/ready $(GENERATIONS:=/ready) $(AGENTS)/ready lint docker-check ## Run every test: units, real databases, official clients, peers, faults
	swift build --build-tests
	Tests/beside.sh "$(VENV)/bin/python -m pytest -q Tests/Contract" $(SWIFT_TEST) --skip-build
	Tests/Clients/generations.sh $(VENV) $(GENERATIONS)
	$(AGENTS)/bin/python -m pytest -q Tests/Agents
	$(VENV)/bin/python -m pytest -q Tests/Peers Tests/Faults

ci: ## The same as .ci/run
	.ci/run

lint: install ## Check the formatting of the Swift code
	swift format lint --strict --parallel --recursive Package.swift Sources Tests

format: install ## Format the Swift code
	swift format --in-place --parallel --recursive Package.swift Sources Tests

test-thread: install ## Run the unit tests under ThreadSanitizer
	REQUESTS=10000 $(SWIFT_TEST) --sanitize=thread --scratch-path .build/thread

test-security: install $(VENV)/ready ## Run what guards against attackers; FULL=1: a million requests across tenants
	swift build --build-tests
	FULL=$(FULL) $(SWIFT_TEST) --skip-build \
		--filter 'HTTPWireTests|HTTPServerTests|IdentityTests|JSONTests|TidyTests|GatewayTests'
	FULL=$(FULL) $(VENV)/bin/python -m pytest -q Tests/Contract Tests/Faults/test_secrets.py

test-money: install $(VENV)/ready ## Kill gateways and databases under load, and compare every charge; FULL=1: a hundred times, a million calls
	swift build --build-tests
	FULL=$(FULL) $(SWIFT_TEST) --skip-build --filter 'MeteringTests|BillingTests|AdmissionTests\.Money'
	FULL=$(FULL) $(VENV)/bin/python -m pytest -q Tests/Faults/test_money.py Tests/Faults/test_crashes.py

test-cov: install ## Run the unit tests and print their coverage
	$(SWIFT_TEST) --enable-code-coverage --scratch-path .build/coverage
	@Tests/coverage.sh .build/coverage

fuzz: install ## Fuzz every parser for SECONDS_EACH seconds (60)
	Tests/Fuzz/run.sh $(SECONDS_EACH)

bench: install $(VENV)/ready $(VENV)/gateways/ready ## Measure against nginx and other gateways, in one interleaved run
	@docker/install.sh bench
	$(RELEASE)
	$(VENV)/bin/python Tests/Bench/run.py

load-test: bench ## The same as bench

health: ## Ask a running gateway whether it is ready
	@curl -fsS "http://$(HOST):$(PORT)/readyz" && echo

docker-build: ## Build the image
	docker build -f docker/Dockerfile -t hivegate .

docker-run: ## Run two gateways behind nginx, with PostgreSQL and Redis, in containers
	@docker/secrets.sh $(COMPOSE_SECRETS)
	$(COMPOSE) up --build --detach --wait
	@printf '\n%s\n' "Hivegate is ready on http://$(HOST):$(PORT)" \
		"  $(COMPOSE) exec gateway-1 hivegate org create NAME --owner EMAIL  # an organization, its owner and a key" \
		"  $(COMPOSE) logs -f gateway-1 gateway-2" \
		"  $(COMPOSE) down  # keeps the data"

docker-check: $(VENV)/ready ## Check the Dockerfile and compose.yaml
	$(VENV)/bin/hadolint docker/Dockerfile
	$(VENV)/bin/python docker/check.py

clean: ## Remove what was built; the data in .hivegate stays
	rm -rf .build dist $(VENV)

define environment
	python3 -m venv $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@
endef

$(VENV)/ready: Tests/Clients/requirements.txt
	@docker/install.sh run test
	$(environment)

$(VENV)/generation-%/ready: Tests/Clients/requirements-generation-%.txt $(VENV)/ready
	$(environment)

$(VENV)/gateways/ready: Tests/Bench/requirements-gateways.txt $(VENV)/ready
	$(environment)

$(AGENTS)/ready: Tests/Agents/requirements.txt $(VENV)/ready
	$(environment)
