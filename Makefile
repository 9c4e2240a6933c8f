.DEFAULT_GOAL := help
.PHONY: help toolchain build module cli run run-native run-oidc run-mcp test unit e2e e2e-native e2e-native-matrix e2e-matrix soak memcheck fuzz mutants lint fmt deny sbom reproducible \
	image book bench bench-quick bench-all check clean

TARGET := wasm32-wasip1
ENVOY_VERSIONS ?= 1.36.2 1.40.0
NATIVE_ENVOY_VERSIONS ?= 1.37.0 1.38.3 1.39.0 1.40.0
say = @printf '\n==> %s\n' '$(1)'

help: ## show this help
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

toolchain:
	@command -v rustup >/dev/null || { echo 'rustup is needed: https://rustup.rs'; exit 1; }
	@command -v python3 >/dev/null || [ -n "$$ENVOY_PATH" ] || \
		{ echo 'python3 is needed to fetch an Envoy, or ENVOY_PATH to name one'; exit 1; }
	@rustc --version >/dev/null 2>&1 || rustup toolchain install
	@rustup target list --installed | grep -qx $(TARGET) || rustup target add $(TARGET)

build: toolchain ## build the plugin: dist/lychgate.wasm
	$(call say,building the plugin (a minute or two the first time))
	scripts/build
	@ls -l dist/lychgate.wasm

module: toolchain ## build the native module: dist/liblychgate.so
	$(call say,building the native module (some minutes the first time))
	scripts/module
	@ls -l dist/liblychgate.so

cli: toolchain ## build the command line: dist/lychgate
	$(call say,building the command line)
	cargo build --locked --release -p lychgate-cli
	@mkdir -p dist
	@cp target/release/lychgate dist/lychgate

run: build ## build, get an Envoy, run it on envoy.yaml: proxy on 10000, admin on 9901
	$(call say,Envoy on http://127.0.0.1:10000 with the demonstration policy of envoy.yaml)
	LYCHGATE_SECRET="$${LYCHGATE_SECRET:-a demonstration secret of 32 bytes or more}" \
		scripts/envoy -c envoy.yaml --use-dynamic-base-id

run-native: module ## the same with the native module in place of Wasm: envoy.native.yaml
	$(call say,Envoy on http://127.0.0.1:10000 with the demonstration policy of envoy.native.yaml)
	ENVOY_DYNAMIC_MODULES_SEARCH_PATH=dist \
		LYCHGATE_SECRET="$${LYCHGATE_SECRET:-a demonstration secret of 32 bytes or more}" \
		scripts/envoy -c envoy.native.yaml --use-dynamic-base-id

run-oidc: build ## the same with an OpenID provider (npm oidc-provider) as the issuer: examples/oidc
	$(call say,an OpenID provider on http://127.0.0.1:9000 and Envoy on http://127.0.0.1:10000)
	scripts/run-oidc

run-mcp: build ## the same before an MCP server (PyPI fastmcp), with an OpenID provider: examples/mcp
	$(call say,a FastMCP server behind Envoy on http://127.0.0.1:10000/mcp and an OpenID provider on http://127.0.0.1:9000)
	scripts/run-mcp

unit: toolchain ## the unit tests of the core alone: no Envoy, no Wasm machine, a minute from nothing
	$(call say,testing the core)
	cargo test --locked -p lychgate

test: build module ## everything: unit tests, behaviour table, both modules end to end in a real Envoy; prints the ten slowest tests
	$(call say,testing: the core natively and the plugin in a real Envoy)
	scripts/test --workspace --exclude lychgate-fuzz -- --skip native::
	$(call say,testing the native module in a real Envoy)
	LYCHGATE_ARTEFACT=native scripts/test -p lychgate-tests --test envoy

e2e: build ## only what needs a real Envoy
	$(call say,testing the plugin in a real Envoy)
	cargo test --locked -p lychgate-tests --test envoy
	cargo test --locked -p lychgate-tests --test project -- deploy:: docs readme:: envoy_lookup::

# Envoy 1.37 makes no calls for native modules, and these tests are about what is fetched. That it is refused by name
# there is tested by native::load.
FETCHED := issuer:: waiting:: counterparts::provider attacks::introspected attacks::waiting clients_that_hang_up observability::envoy \
	observability::misleading secrets::

e2e-native: module ## the same with the native module
	$(call say,testing the native module in a real Envoy)
	LYCHGATE_ARTEFACT=native cargo test --locked -p lychgate-tests --test envoy -- \
		$(if $(filter 1.37.%,$(ENVOY_VERSION)),$(addprefix --skip ,$(FETCHED)))

e2e-native-matrix: module ## the same on each Envoy of NATIVE_ENVOY_VERSIONS
	@set -e; for version in $(NATIVE_ENVOY_VERSIONS); do \
		printf '\n==> Envoy %s\n' "$$version"; \
		env -u ENVOY_PATH ENVOY_VERSION="$$version" $(MAKE) --no-print-directory e2e-native; \
	done

e2e-matrix: build ## the same on the oldest and the newest Envoy, or on those in ENVOY_VERSIONS
	@set -e; for version in $(ENVOY_VERSIONS); do \
		printf '\n==> Envoy %s\n' "$$version"; \
		env -u ENVOY_PATH ENVOY_VERSION="$$version" $(MAKE) --no-print-directory e2e; \
	done

soak: build ## half an hour of full load (LYCHGATE_SOAK_SECONDS), with every answer checked
	LYCHGATE_SOAK_SECONDS="$${LYCHGATE_SOAK_SECONDS:-1800}" cargo test --locked -p lychgate-tests --test soak -- --nocapture

lint: toolchain ## formatting, clippy, native and Wasm, and rustdoc, warnings denied
	$(call say,checking format and lints)
	@rustup component list --installed | grep -q '^clippy' || rustup component add clippy rustfmt
	cargo fmt --all --check
	cargo clippy --locked --workspace --exclude lychgate-fuzz --all-targets -- -D warnings
	cargo clippy --locked --target $(TARGET) -p lychgate -- -D warnings
	RUSTDOCFLAGS='-D warnings -D rustdoc::all' cargo doc --locked --no-deps --lib -p lychgate -p lychgate-testkit -p lychgate-tests

deny: ## check the dependencies against deny.toml: licences, sources, duplicates, advisories
	scripts/deny

sbom: build module ## write dist/lychgate.cdx.json and dist/liblychgate.cdx.json: bills of materials (CycloneDX)
	scripts/sbom
	scripts/sbom native

reproducible: toolchain ## build both artefacts twice from scratch, in other directories, and compare
	scripts/reproducible

image: build ## write dist/image: the module as an OCI image, without a daemon
	scripts/image

book: ## docs/ as a book: target/book/index.html (builds mdBook the first time)
	scripts/book

fmt: ## format the code
	cargo fmt --all

bench: build module ## measure Lychgate and Envoy's own filters in one Envoy, in turn: target/bench/
	$(call say,measuring Lychgate and Envoy's own filters (half an hour))
	cargo bench --locked --bench comparison

bench-quick: build module ## the same, one round: some minutes
	$(call say,measuring Lychgate and Envoy's own filters)
	cargo bench --locked --bench comparison -- --quick

memcheck: module ## the behaviours of the native module in a real Envoy under valgrind (apt-get install valgrind)
	scripts/memcheck

fuzz: toolchain ## fuzz every target, FUZZ_SECONDS each (default 600; needs nightly, fetches cargo-fuzz)
	scripts/fuzz $(or $(FUZZ_SECONDS),600)

mutants: build ## mutation tests of the modules token and engine
	scripts/mutants

bench-all: bench ## the same, the core natively, and the cost of floods of bad requests for other clients
	$(call say,measuring the core natively)
	cargo bench --locked --bench core
	$(call say,measuring what DPoP costs in a real Envoy)
	cargo bench --locked --bench possession
	$(call say,measuring a flood of wrong passwords in a real Envoy)
	cargo bench --locked --bench login
	$(call say,measuring a flood of tokens with invented keys in a real Envoy)
	cargo bench --locked --bench unknown_keys
	$(call say,measuring whether the time of a refusal shows its cause)
	cargo bench --locked --bench timing

check: lint test ## what CI runs

clean: ## remove everything that was built or fetched
	cargo clean
	rm -rf dist .tools
