# Each target's line of help stands after its ##.
GO         ?= go
BIN        := bin/sneakerdrop
LINT       := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
# Packages without a goroutine, in tests too, have no race to detect. Without the detector they are four times as fast.
PURE       := internal/draw internal/drop internal/flatjson internal/text
RACE        = $(filter-out $(PURE:%=sneakerdrop/%),$(shell $(GO) list ./internal/... ./socketio/...))
NORACE     := $(PURE:%=./%) . ./bench/scaling ./cmd/... ./test/...
TESTFLAGS  ?=

.DEFAULT_GOAL := help
.PHONY: help run storefront build test client perf soak cluster fuzz bench bench-http bench-sockets bench-watchers bench-replicas scaling screenshots check-deploy lint fmt deps check clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: build ## build, then serve sample drops from ./sneakerdrop.db at http://localhost:3000
	@exec ./$(BIN) serve --demo

storefront: build ## build, then run examples/storefront: a shop of its own, with sign-in, at http://localhost:8080
	$(GO) build -o bin/storefront ./examples/storefront
	@exec examples/storefront/run

build: ## build bin/sneakerdrop, and internal/web/bundled before it
	@env -u GOOS -u GOARCH $(GO) generate ./internal/web
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o $(BIN) ./cmd/sneakerdrop

# Tests wait more than they work: for disks, browsers and time limits. So more run at once than there are cores.
test: deps check ## everything that must pass before a change goes in
	$(GO) test -race -timeout 30m -p 4 $(TESTFLAGS) $(RACE)
	$(GO) test -timeout 30m -parallel 4 $(TESTFLAGS) $(NORACE)

client: ## make what is generated of client/ anew, from the API's description (needs Node.js)
	@.ci/deps client
	MAKE_CLIENT=1 $(GO) test -count 1 -run TestOpenAPI_IsWhatTheClientIsMadeFrom ./internal/api
	node .ci/node/generate.mjs client

perf: deps ## what hangs on the machine's speed: ratios, figures, times within which something is promised (needs two idle cores)
	@GO=$(GO) .ci/perf $(TESTFLAGS)

soak: ## the long tests: big tables, hours in minutes, fuzzing, PostgreSQL 18, a hundred faults of a cluster
	@.ci/deps soak
	$(GO) test -tags soak -timeout 2h -count 1 $(TESTFLAGS) ./...
	GO=$(GO) .ci/fuzz
	.ci/postgres18 $(GO) test -tags soak -timeout 1h -count 1 $(TESTFLAGS) ./internal/store/postgres/...
	$(MAKE) cluster FAULTS=100

FAULTS     ?= 10
cluster: build ## 3 PostgreSQL under Patroni, 3 NATS, 3 replicas: FAULTS=10 of KINDS=… by SEED=… while buyers go on (6 minutes)
	@.ci/deps cluster
	$(GO) test -c -tags cluster -o bin/cluster.test ./test/cluster
	@cd test/cluster && FAULTS='$(FAULTS)' SEED='$(SEED)' KINDS='$(KINDS)' ../../bin/cluster.test -test.v -test.timeout 3h $(TESTFLAGS)

fuzz: ## every fuzz target for FUZZTIME (30s) each; part of soak
	@GO=$(GO) .ci/fuzz

bench: deps ## benchmarks of every package
	$(GO) test -run '^$$' -bench . -benchmem $(TESTFLAGS) ./...

bench-sockets: ## our sockets beside Node's socket.io (needs Node.js, two cores; about 2 minutes)
	@cd bench/sockets/node && npm ci --no-audit --no-fund --loglevel=error
	$(GO) build -o bin/bench-sockets ./bench/sockets
	@./bin/bench-sockets

bench-http: build ## the shop over HTTP beside a handler that does nothing (needs two idle cores; about 10 minutes)
	$(GO) build -o bin/bench-http ./bench/http
	@.ci/with-postgres bin/bench-http

bench-watchers: build ## the shop while 1,000 people watch it (needs two idle cores; about 3 minutes)
	$(GO) build -o bin/bench-watchers ./bench/watchers
	@./bin/bench-watchers

bench-replicas: build ## three servers of one shop beside one alone (needs two idle cores; about a minute)
	$(GO) build -o bin/bench-replicas ./bench/replicas
	@.ci/with-postgres bin/bench-replicas

scaling: ## what a crowd takes, computed from what was measured: the tables of docs/SCALING.md
	@$(GO) run ./bench/scaling

screenshots: ## take the pictures of the pages for the documents again (needs Chromium)
	SNEAKERDROP_SCREENSHOTS=$(CURDIR)/docs/images $(GO) test -count 1 -run TestScreenshots ./test

check-deploy: ## what deploy/ ships, read by Docker Compose, BuildKit, Kubernetes and Grafana's own code, and the image by hand (first run: minutes)
	cd deploy/check && $(GO) vet ./... && $(GO) test -count 1 -timeout 20m $(TESTFLAGS) ./...

check:
	@unformatted=$$($$($(GO) env GOROOT)/bin/gofmt -l bench client cmd deploy examples internal test *.go); \
	if [ -n "$$unformatted" ]; then echo "not formatted (make fmt):"; echo "$$unformatted"; exit 1; fi
	$(GO) vet ./...
	$(GO) vet -tags perf ./... && $(GO) vet -tags soak ./... && $(GO) vet -tags cluster ./test/cluster

lint: ## golangci-lint, pinned; the first run builds it (about 2 minutes)
	$(GO) run $(LINT) run

fmt: ## format with gofumpt
	$(GO) run $(LINT) fmt

deps: ## install what the tests need from Debian, if it is missing: PostgreSQL, Chromium, HAProxy and others
	@.ci/deps

clean: ## remove what the other targets made
	rm -rf bin
