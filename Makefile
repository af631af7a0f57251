# `make help` lists the targets. build needs nothing but Go. test uses npm and a
# Chromium as well where they are: `make browser` gets what is missing of them.
# lint, generate, generate-check and vulncheck build the tools pinned in tools.mod.

GO ?= go
TOOL = $(GO) tool -modfile=tools.mod
FUZZTIME ?= 30s
BENCH ?= .
SOAK ?= 10m
ACCOUNTS ?= 1000
KILLS ?= 200
SIZE ?= 10240
BIN = bin/staunch

# -race needs a C compiler. SQLite, which is C turned into Go, and what computes
# with elements of groups have no goroutines to watch, and would take five times as
# long if they were watched.
UNWATCHED = $(patsubst %,-gcflags=%=-race=false,modernc.org/sqlite/lib modernc.org/libc modernc.org/memory \
	github.com/cloudflare/circl/... github.com/bwesterb/go-ristretto/... golang.org/x/crypto/... crypto/internal/...)
# What it has nothing to watch in runs without it: packages that start no goroutine,
# and those that run the program, or themselves, as many processes. So do two whose
# tests do one thing after the other for minutes; their flows are watched in server,
# rpc, client and web/e2e. test-race runs them all with it.
UNRACED = account attest attest/appattest attest/attesttest attest/registry attest/request cmd/staunch config docs integrity \
	recovery/cpace recovery/recoverytest/insider recovery/toprf recovery/wire transfer/handover transfer/sealed web/demo
# Many wait for a browser, a broker or a hold, so more are run at once than there are
# cores. Those that wait longest go first.
AT_ONCE = 4
FIRST = ./web/e2e ./sdk/ts ./stream/kafka
packages = $(shell $(GO) list ./...)
unraced = $(if $(RACE),$(filter $(addprefix %/staunch/,$(UNRACED)),$(packages)))
raced = $(FIRST) $(filter-out $(unraced),$(packages))
RACE := $(shell command -v $${CC:-gcc} >/dev/null 2>&1 && [ "$$($(GO) env CGO_ENABLED)" = 1 ] && echo -race)

.DEFAULT_GOAL := all
.PHONY: all help dev build test test-race node-modules browser lint generate generate-check web sdk-docs fuzz mutate bench benchmarks test-envoy test-kafka model soak soak-recovery soak-transfer soak-transfer-size vulncheck clean

all: build test lint ## build, test and lint

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

dev: build ## run a server to play with
	@$(BIN) dev

build: ## build bin/staunch
	@echo "building $(BIN) (minutes the first time, then seconds)"
	$(GO) build -trimpath -o $(BIN) ./cmd/staunch

# The packages of Node that tests run, one folder with a lock file each.
NODE = passkey/testdata/secondopinion/node_modules web/e2e/node_modules sdk/ts/node_modules web/demo/node_modules
CHROMIUM = chromium chromium-browser google-chrome google-chrome-stable
chromium = $(firstword $(foreach name,$(CHROMIUM),$(shell command -v $(name) 2>/dev/null)))
# Who says CI=true wants every test to run; others are told what does not.
missing = { echo "$(1)"; [ "$$CI" != true ]; }

node-modules: ## install what tests run with Node: a second opinion on passkeys, the driver of a browser, the TypeScript SDK (needs npm, Node 20)
ifneq ($(shell command -v npm 2>/dev/null),)
node-modules: $(NODE)
else
	@$(call missing,npm is missing: install Node 20 or later with npm; without them the second opinion on passkeys and the pages are not tested)
endif

%/node_modules: %/package-lock.json
	cd $* && npm ci --no-audit --no-fund
	@touch $@

browser: node-modules ## node-modules, and a Chromium if there is none (by apt-get, as root)
ifeq ($(chromium),)
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium; \
	else \
		$(call missing,chromium is missing: as root on Debian run apt-get install chromium; without it the pages are not tested); \
	fi
endif

# A real Kafka broker runs on Java, and its jars come by Maven.
kafka = $(and $(shell command -v java 2>/dev/null),$(shell command -v mvn 2>/dev/null))

test: browser ## vet and test everything, with the race detector if there is a C compiler
	@[ -n "$(RACE)" ] || echo "no C compiler (or CGO_ENABLED=0): testing without the race detector"
	$(GO) vet ./...
	$(GO) vet -tags envoy ./examples/envoy
ifneq ($(kafka),)
	@stream/kafka/fetch.sh >/dev/null || $(call missing,the jars of Kafka cannot be fetched: the retry stream is not tested with a real broker)
else
	@echo "java or mvn is missing: the retry stream is not tested with a real Kafka broker"
endif
	$(if $(kafka),TEST_KAFKA_JARS=$$(stream/kafka/fetch.sh -n)) $(GO) test $(RACE) $(if $(RACE),$(UNWATCHED)) -p $(AT_ONCE) -shuffle=on -timeout 30m $(raced)
ifneq ($(RACE),)
	$(GO) test -p $(AT_ONCE) -parallel $(AT_ONCE) -shuffle=on -timeout 30m ./cmd/staunch $(unraced)
	$(GO) test -v -run '^TestModel' -timeout 30m ./recovery/vault # unwatched: millions of states
endif

test-race: ## test with the race detector what test runs without it (15 minutes)
	$(GO) test -race $(UNWATCHED) -timeout 60m $(addprefix ./,$(UNRACED))

lint: ## golangci-lint and buf lint
	$(TOOL) golangci-lint run --build-tags envoy
	$(TOOL) buf lint

generate: sdk/ts/node_modules ## write gen/ and sdk/ts/src/gen/ from proto/ (needs npm)
	$(TOOL) buf generate
	$(GO) test ./proto -count=1 -run TestGenerated -update

generate-check: ## generate anew and fail if anything changes
	$(MAKE) generate
	git diff --exit-code -- gen sdk/ts/src/gen proto/SUMS
	@[ -z "$$(git status --porcelain -- gen sdk/ts/src/gen)" ] || { git status --short -- gen sdk/ts/src/gen; exit 1; }

web: sdk/ts/node_modules web/demo/node_modules ## bundle the scripts and the style sheets of the pages (needs npm)
	$(GO) test ./web ./web/console ./web/demo -count=1 -run '^TestBundle$$' -update

sdk-docs: sdk/ts/node_modules ## write docs/sdk-ts.md, the reference of the TypeScript SDK (needs npm)
	$(GO) test ./sdk/ts -count=1 -run '^TestReference$$' -update

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

model: ## search every schedule of the recovery quorums for a guess too many (10 minutes, 3 GB)
	STAUNCH_MODEL=full $(GO) test -run '^TestModel' -count=1 -timeout 60m -v ./recovery/vault

test-kafka: ## test with a real Kafka broker (needs Java 17 and Maven; 43 MB are downloaded once)
	@jars=$$(stream/kafka/fetch.sh) && echo "testing with $$jars" && \
		TEST_KAFKA_JARS=$$jars $(GO) test -count=1 -timeout 15m ./stream/kafka

bench: ## measure what is promised about speed, as ratios to the raw cost
	$(GO) run ./internal/bench

benchmarks: ## run the benchmarks that match BENCH
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem ./...

soak: build ## drive a server for SOAK (10m); memory must not grow
	$(GO) run ./internal/soak -staunch $(BIN) -duration $(SOAK)

soak-recovery: ## kill API, vaults and witnesses again and again; then ACCOUNTS (1000) recover, and no count fell
	STAUNCH_SOAK_ACCOUNTS=$(ACCOUNTS) $(GO) test -count=1 -v -timeout 1h -run '^TestSoak$$' ./recovery/recoverytest/insider

soak-transfer: ## kill sender, receiver and server of moves KILLS (200) times each: every move is complete, or cleanly over
	STAUNCH_SOAK_KILLS=$(KILLS) $(GO) test -count=1 -v -timeout 1h -run '^TestTransferKilled$$' ./cmd/staunch

soak-transfer-size: build ## move a history of SIZE (10240) MiB, in memory; it takes no more of it than a small one
	$(GO) run ./internal/bench -staunch $(BIN) -large $(SIZE)

vulncheck: ## look for known vulnerabilities in what is used (asks the network)
	$(TOOL) govulncheck ./...

clean: ## remove what was built
	rm -rf bin
