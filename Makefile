# `make help` lists the targets. All but lint, generate, generate-check and
# vulncheck need nothing but Go; those build the tools pinned in tools.mod.

GO ?= go
TOOL = $(GO) tool -modfile=tools.mod
FUZZTIME ?= 30s
BENCH ?= .
SOAK ?= 10m
BIN = bin/staunch

# -race needs a C compiler.
RACE := $(shell command -v $${CC:-gcc} >/dev/null 2>&1 && [ "$$($(GO) env CGO_ENABLED)" = 1 ] && echo -race)

.DEFAULT_GOAL := all
.PHONY: all help dev build test lint generate generate-check web browser fuzz mutate bench benchmarks test-envoy soak vulncheck clean

all: build test lint ## build, test and lint

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

dev: build ## run a server to play with
	@$(BIN) dev

build: ## build bin/staunch
	@echo "building $(BIN) (minutes the first time, then seconds)"
	$(GO) build -trimpath -o $(BIN) ./cmd/staunch

test: ## vet and test everything, with the race detector if there is a C compiler
	@[ -n "$(RACE)" ] || echo "no C compiler (or CGO_ENABLED=0): testing without the race detector"
	$(GO) vet ./...
	$(GO) vet -tags envoy ./examples/envoy
	$(GO) test $(RACE) -shuffle=on ./...

lint: ## golangci-lint and buf lint
	$(TOOL) golangci-lint run --build-tags envoy
	$(TOOL) buf lint

generate: ## write gen/ from proto/
	$(TOOL) buf generate
	$(GO) test ./proto -count=1 -run TestGenerated -update

generate-check: ## generate anew and fail if anything changes
	$(MAKE) generate
	git diff --exit-code -- gen proto/SUMS
	@[ -z "$$(git status --porcelain -- gen)" ] || { git status --short -- gen; exit 1; }

web: ## bundle the scripts and the style sheet of the pages
	$(GO) test ./web -count=1 -run '^TestBundle$$' -update

browser: ## install what the tests in a browser need besides Chromium
	cd web/e2e && npm ci --no-audit --no-fund

fuzz: ## run every fuzz target for FUZZTIME (30s)
	@for pkg in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "== $$pkg $$f"; \
			$(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$pkg || exit 1; \
		done; \
	done

mutate: ## remove each check in turn; a test must fail
	$(GO) run ./internal/mutate

test-envoy: ## test with a real Envoy, which is downloaded once (50 MB)
	@envoy=$$(examples/envoy/fetch.sh) && echo "testing with $$envoy" && \
		TEST_ENVOY=$$envoy $(GO) test -tags envoy -count=1 ./examples/envoy

bench: ## measure what is promised about speed, as ratios to the raw cost
	$(GO) run ./internal/bench

benchmarks: ## run the benchmarks that match BENCH
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem ./...

soak: build ## drive a server for SOAK (10m); memory must not grow
	$(GO) run ./internal/soak -staunch $(BIN) -duration $(SOAK)

vulncheck: ## look for known vulnerabilities in what is used (asks the network)
	$(TOOL) govulncheck ./...

clean: ## remove what was built
	rm -rf bin
