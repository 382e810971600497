# till: `make run` opens the practice shop, `make test` runs the tests.

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
export CGO_ENABLED ?= 0

GO      ?= go
LDFLAGS := -s -w -X main.version=$(VERSION)
FUZZ    ?= 10s

.PHONY: build run test day check format lint cross race golden stale bench soak fuzz vuln deb clean

build: ## one static binary, ./till
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o till ./cmd/till

run: build ## the practice shop: no hardware, no network, no real money
	./till practice

test: ## every test; those that play whole shops wait more than they work, so four at once
	$(GO) test -timeout 30m -parallel 4 ./...

day: ## a day of 10,000 deposits of e-cash, server, mint and wallets killed all the time
	TILL_TEST_DEPOSITS=10000 $(GO) test ./cmd/till -run TestADayOfDeposits -v -timeout 90m

check: format lint cross race stale ## what CI runs

format:
	@test -z "$$(gofmt -l cmd device protocol server tui)" || { gofmt -l cmd device protocol server tui; echo 'run: gofmt -w .'; exit 1; }

lint:
	$(GO) vet ./...
	$(GO) tool staticcheck ./...

cross: ## the machines at counters: Raspberry Pi and the like
	GOOS=linux GOARCH=arm64 $(GO) build -o /dev/null ./cmd/till
	GOOS=linux GOARCH=arm GOARM=6 $(GO) build -o /dev/null ./cmd/till

race: ## needs a C compiler; one package at a time, since it is ten times slower
	CGO_ENABLED=1 $(GO) test -race -short -p 1 -timeout 20m ./...

GOLDENS = $(sort $(dir $(shell grep -rl --include=*_test.go 'flag.Bool."update"' cmd device protocol server tui)))

golden: ## writes what is generated anew: screens, diagrams, key table, OpenRPC
	@for p in $(GOLDENS); do $(GO) test -short ./$$p -update >/dev/null || exit 1; done

stale: golden ## red when something generated differs from what is committed
	@git diff --exit-code --stat -- README.md '*/testdata/*' || { echo 'generated files are stale: commit what make golden wrote'; exit 1; }

bench: ## the whole program is measured for longer than its parts
	$(GO) test $$($(GO) list ./... | grep -v '/cmd/till$$') -run '^$$' -bench . -benchmem
	TILL_BENCH_SALES=1000000 $(GO) test ./cmd/till -run '^$$' -bench . -benchtime 20s -timeout 0

SOAK ?= 1h
soak: ## servers that die, disks that fill, lines that do harm, for SOAK each; TILL_SEED repeats
	TILL_SOAK=$(SOAK) $(GO) test ./cmd/till -v -timeout 24h -run 'TestServersThatDie|TestALineThatCuts|TestAServerWhoseDisk'

fuzz: ## every fuzz target for $(FUZZ)
	@for p in $$($(GO) list ./...); do for f in $$($(GO) test $$p -list '^Fuzz' | grep '^Fuzz'); do \
		$(GO) test $$p -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZ) -fuzzminimizetime 0s || exit 1; done; done

vuln: ## known faults of what is built in, where their database can be reached
	@if curl -sfI -m 10 https://vuln.go.dev/index/modules.json >/dev/null; then \
		$(GO) run golang.org/x/vuln/cmd/govulncheck@v1.1.4 ./...; \
	else echo 'vuln.go.dev cannot be reached: not looked'; fi

deb: build ## dist/till_VERSION_{amd64,arm64,armhf}.deb; needs dpkg-deb. armhf runs on every Raspberry Pi
	for a in amd64 arm64 arm; do GOOS=linux GOARCH=$$a GOARM=6 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o dist/$$a/till ./cmd/till || exit 1; done
	packaging/deb $(VERSION) amd64 dist/amd64/till ./till dist
	packaging/deb $(VERSION) arm64 dist/arm64/till ./till dist
	packaging/deb $(VERSION) armhf dist/arm/till ./till dist

clean:
	rm -rf till dist
