# leadroute: every job a person or a machine does here has one name. `make` lists them.
SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS   += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help
# One setting for builds and tests, so that each package is compiled once.
export CGO_ENABLED := 0

GO       ?= go
GOLANGCI  = $(GO) tool -modfile=tools/go.mod golangci-lint
# Packages built and tested side by side; the tests start brokers and databases, so not more than there are cores.
P        ?= 2
# Sizes that CI leaves alone and a person may change: make sim SEEDS=50000, make fuzz FUZZTIME=10m.
TIMEOUT    ?= 8m
SEEDS      ?= 5000
FUZZTIME   ?= 30s
BENCH      ?= .
BENCHTIME  ?= 500ms
DEMO       ?= --leads 5000 --rate 500
KAFKA_DEMO ?= --leads 5000 --rate 0 --json

FLOOR      ?= 50000
SEED       ?= 1

# Packages with a benchmark: the others' tests need no building for it.
benchmarks = grep -rl --include='*_test.go' '^func Benchmark' . | grep -v '^./bench/' | xargs -n1 dirname | sort -u
# Packages with tests that want, or can take, a real Kafka.
kafka_packages = $(shell grep -rlE --include='*_test.go' '^//go:build .*\bkafka\b|/internal/testbroker"|LEADROUTE_TEST_BROKERS|^package testbroker' . | xargs -r -n1 dirname | sort -u)

##@ Use it
.PHONY: help build demo
help: ## this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

build: ## bin/leadroute (static) and bin/leadroute-clickhouse (the engine's launcher)
	@mkdir -p bin
	$(GO) build -o bin/ ./cmd/...

demo: build ## thousands of leads go the whole way, on embedded engines; DEMO="--leads 20000 --faults"
	bin/leadroute demo $(DEMO)

##@ Trust it
.PHONY: test sim mutants floor race fuzz bench peers test-kafka on-kafka
test: build mutants ## every test, on embedded engines
	$(GO) test -p $(P) -timeout $(TIMEOUT) ./...

mutants: ## each bug planted in the decisions must be found by the simulator
	$(GO) test -tags mutants -timeout $(TIMEOUT) -run 'TestMutants|TestShrink' ./internal/sim

sim: ## the deterministic simulator for SEEDS (5000) worlds instead of the few of make test
	$(GO) test -count 1 -timeout 60m ./internal/sim -seeds $(SEEDS)

floor: build ## three instances, killed, stalled and added, under FLOOR (50000) leads, some nine minutes each; on the embedded log, then on a real Kafka
	$(GO) test ./internal/e2e -count 1 -v -timeout 30m -run TestFloor -leads $(FLOOR) -seed $(SEED)
	$(GO) run ./internal/kafkajvm/cmd/with-kafka -- $(GO) test ./internal/e2e -count 1 -v -timeout 30m -run TestFloor -leads $(FLOOR) -seed $(SEED)

race: build ## the same under the race detector (slow)
	CGO_ENABLED=1 $(GO) test -race -p $(P) -timeout 45m ./...

fuzz: ## each fuzz target for FUZZTIME (30s)
	@grep -roE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | sed 's/:func / /' | while read -r file target; do \
	  echo "== $$(dirname "$$file") $$target"; \
	  $(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x "$$(dirname "$$file")" </dev/null || exit 1; \
	done

bench: build ## every benchmark, with the ratios to doing it by hand; some 7 minutes; BENCH=Hop for some
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem -p 1 -timeout 10m $$($(benchmarks))
	cd bench && $(GO) test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -timeout 10m ./...
	@echo '== a lead from the door to the acknowledgement, 100 leads/s, everything on this machine'
	bin/leadroute demo --leads 3000 --rate 100
	@echo '== the same without accounts, and with people and companies that must say yes to their owner'
	bin/leadroute demo --leads 2000 --rate 100 --policy bench/policies/alone.hcl
	bin/leadroute demo --leads 2000 --rate 100 --policy bench/policies/known.hcl
	@echo '== six reps who are full, so that leads wait: the rows of every table'
	bin/leadroute demo --leads 2000 --rate 400 --reps 6 --policy bench/policies/known.hcl
	@echo '== as fast as it goes, everything on this machine'
	bin/leadroute demo --leads 20000 --rate 0

peers: ## the engines that make bench compares with answer as we do
	cd bench && $(GO) vet ./... && $(GO) test ./...

test-kafka: build ## the end-to-end and fault tests and a demo on a real Apache Kafka (Java 17+, Maven)
	$(GO) run ./internal/kafkajvm/cmd/with-kafka -- $(MAKE) on-kafka

on-kafka:
	@test -n "$${LEADROUTE_TEST_BROKERS:-}" || { echo "LEADROUTE_TEST_BROKERS is not set: run make test-kafka" >&2; exit 1; }
	$(GO) test -tags kafka -count 1 -p 1 -timeout 20m $(kafka_packages)
	bin/leadroute demo $(KAFKA_DEMO) --brokers "$$LEADROUTE_TEST_BROKERS"

##@ Keep it
.PHONY: check lint docs fmt tidy no-binaries
check: no-binaries tidy lint ## what CI asks before it tests: vet, lint, format, imports, go.mod, no binaries
	$(GO) vet -tags kafka ./...
	$(GO) test -count 1 ./internal/arch

lint: ## golangci-lint, formatting included; the first run builds it, which takes minutes
	$(GOLANGCI) run --build-tags kafka ./...
	@$(GOLANGCI) fmt --diff || { echo "run: make fmt" >&2; exit 1; }

docs: ## write the pages that are made of the code
	$(GO) run ./cmd/leadroute lang reference >docs/language.md
	$(GO) run ./cmd/leadroute lang diagnostics --out docs/diagnostics

fmt: ## format every Go file
	$(GOLANGCI) fmt

tidy:
	@$(GO) mod tidy -diff || { echo "run: go mod tidy" >&2; exit 1; }
	@cd bench && $(GO) mod tidy -diff || { echo "run: cd bench && go mod tidy" >&2; exit 1; }

no-binaries:
	@found=$$(git diff --numstat "$$(git hash-object -t tree /dev/null)" HEAD | awk -F'\t' '$$1 == "-" {print $$3}'); \
	 test -z "$$found" || { printf 'binary files do not belong in git:\n%s\n' "$$found" >&2; exit 1; }

.PHONY: clean
clean: ## bin/ and what runs leave behind; the cache of downloaded engines stays
	rm -rf bin data coverage.*
