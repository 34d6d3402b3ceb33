# Commands, for a machine with Rust (rustup), Node with npm, and Python 3:
#   make demo          run the Worker over an emulated AWS until Ctrl-C; PORT=8787 sets the port, EVENTS=1 lets services
#                      change and tells the Worker by events, and WORKER=ecs-status-worker-VERSION.zip takes a release's
#                      Worker, which needs no Rust
#   make test          run every check
#   make bench         compare CPU and time with other implementations, measure freshness and the free plan (Linux, 15 minutes; QUICK=1: 2)
#   make bench-events  compare events with polling: lag, calls, CPU and rows, in MINUTES=10 of changes
# Longer tests, not for every change:
#   make soak          judge every answer in half an hour of faults; MINUTES=30, SEED=... and EVENTS=1 set the plan
#   make fuzz          run RUNS=10000000 inputs through each parser of external bytes; TARGET=sweep selects one
#   make mutants       list the changes to src/fleet and src/aws that no test notices (an hour)
# For a release:
#   make worker        build the Worker into target/worker/
#   make mirror        build the Lambda mirror's zip into target/lambda/
#   make audit         check the dependencies for vulnerabilities and licences, with the registries and RustSec
#   make sbom          list the crates of the Worker and the mirror in target/sbom/, as CycloneDX
#   make reproducible  check that two clones of HEAD build the same bytes
#   make release       make the files of a release in dist/; TAG=v1.2.3 has to be of Cargo.toml's version
#   make archive       make the Worker's archive alone
# For who runs it:
#   make secrets       put an access key of Terraform's reader into the Worker's secrets; URL=... rotates the key
# Each command installs what it needs under target/ and node_modules/, once, and keeps the logs of it in target/logs/.

.DELETE_ON_ERROR:

# What does not depend on one another is set up side by side: much of it waits for the network or for one core. Cargo and
# tests have their own idea of how much runs at once, so they do not get these flags.
ifeq (,$(filter -j%,$(MAKEFLAGS)))
MAKEFLAGS += -j4
endif
unexport MAKEFLAGS

# For tools/step.sh: a number of this run, and how many steps it has.
export MAKE_ID := $(shell echo $$PPID)
ifeq (,$(STEPS))
export STEPS := $(shell STEPS=0 $(MAKE) -n $(MAKECMDGOALS) $(filter-out STEPS=%,$(MAKEOVERRIDES)) 2>/dev/null | grep -c tools/step.sh)
endif

PORT ?= 8787
PYTHON ?= python3

WORKER_BUILD_VERSION := 0.8.7
CARGO_DENY_VERSION := 0.20.2
CARGO_CYCLONEDX_VERSION := 0.5.9
CARGO_MUTANTS_VERSION := 27.1.0
CARGO_FUZZ_VERSION := 0.13.2
# The command has to equal the library to the patch version.
WASM_BINDGEN_VERSION := $(shell sed -n '/^name = "wasm-bindgen"$$/{n;s/version = "\(.*\)"/\1/p;}' Cargo.lock)

# First on PATH, so that all scripts use the Node of package.json and not the system's.
export PATH := $(CURDIR)/node_modules/.bin:$(PATH)
export WRANGLER_SEND_METRICS := false

# Python compiles what it imports, once, and not all 20,000 modules that are installed.
export PYTHONPYCACHEPREFIX := $(CURDIR)/target/pycache
unexport PYTHONDONTWRITEBYTECODE

TOOLS := target/tools
VENV := target/venv
CARGO_LAMBDA_VENV := target/cargo-lambda
CHECKOV_VENV := target/checkov
SCHEMATHESIS_VENV := target/schemathesis
AUDIT_VENV := target/audit
AWSCLI_VENV := target/awscli
SETUP := target/setup
BUILT := target/worker/index.js
WASM := target/wasm.built
SOURCES := $(shell find src -type f) build.rs Cargo.toml Cargo.lock

RUST := $(SETUP)/rust
# npm's own stamp, so that make does not install again after `npm ci`.
NPM := node_modules/.package-lock.json
BENCH_NPM := bench/node_modules/.package-lock.json
PIP := $(SETUP)/pip
CARGO_LAMBDA := $(SETUP)/cargo-lambda
CHECKOV := $(SETUP)/checkov
SCHEMATHESIS := $(SETUP)/schemathesis
AUDIT := $(SETUP)/audit
AWSCLI := $(SETUP)/awscli
CARGO_FUZZ := $(SETUP)/cargo-fuzz-$(CARGO_FUZZ_VERSION)
WORKER_BUILD := $(SETUP)/worker-build-$(WORKER_BUILD_VERSION)
WASM_BINDGEN := $(SETUP)/wasm-bindgen-$(WASM_BINDGEN_VERSION)
CARGO_DENY := $(SETUP)/cargo-deny-$(CARGO_DENY_VERSION)
CARGO_CYCLONEDX := $(SETUP)/cargo-cyclonedx-$(CARGO_CYCLONEDX_VERSION)
CARGO_MUTANTS := $(SETUP)/cargo-mutants-$(CARGO_MUTANTS_VERSION)

WASM_OPT := -O3 --enable-bulk-memory --enable-simd --enable-nontrapping-float-to-int --enable-sign-ext \
	--enable-exception-handling --enable-mutable-globals --enable-reference-types --enable-multivalue \
	--one-caller-inline-max-function-size=60

# Less inlining than opt-level 2 has, for a smaller wasm.
CODE := -C target-feature=+simd128 -C llvm-args=-inlinedefault-threshold=25

# No paths of this machine, so that a commit builds the same bytes everywhere. The last prefix that matches is used, and
# Cargo's home may lie in this directory.
HOME_OF_CARGO := $(or $(CARGO_HOME),$(HOME)/.cargo)
NO_PATHS := --remap-path-prefix=$(CURDIR)=. --remap-path-prefix=$(HOME_OF_CARGO)=cargo

# $(call need,command,sentence)
need = command -v $(1) >/dev/null 2>&1 || { echo "$(2)" >&2; exit 1; }

.PHONY: help
help:
	@sed -n 's/^# \{0,1\}//p;/^$$/q' Makefile

.PHONY: demo
demo: $(if $(WORKER),,$(BUILT)) $(NPM) $(PIP)
	@exec $(VENV)/bin/python tools/demo.py --port $(PORT)$(if $(EVENTS), --events)$(if $(WORKER), --worker "$(WORKER)")

# What takes longest begins first.
.PHONY: test
test: $(WASM) setup $(BUILT)
	@exec $(VENV)/bin/python tools/run.py

.PHONY: soak
soak: $(BUILT) $(PIP)
	@PYTHONPATH=tests:tools exec $(VENV)/bin/python -m soak --minutes $(or $(MINUTES),30) $(if $(SEED),--seed $(SEED)) $(if $(EVENTS),--events)

# The machine should be idle otherwise.
.PHONY: bench
bench: $(BUILT) $(PIP) $(BENCH_NPM) $(RUST)
	CARGO_TARGET_DIR=$(CURDIR)/target/bench cargo build --quiet --release --locked --manifest-path bench/ecs/Cargo.toml
	@exec $(VENV)/bin/python bench/run.py $(if $(QUICK),--quick)

.PHONY: bench-events
bench-events: $(BUILT) $(PIP) $(RUST)
	CARGO_TARGET_DIR=$(CURDIR)/target/bench cargo build --quiet --release --locked --manifest-path bench/ecs/Cargo.toml
	@exec $(VENV)/bin/python bench/events.py --minutes $(or $(MINUTES),10)

# First the unit tests, as they build in a third of the time; then all tests for the mutants that are left.
MUTATE := PROPTEST_CASES=32 PATH="$(CURDIR)/$(TOOLS)/bin:$(PATH)" cargo mutants --jobs 2 --output target
.PHONY: mutants
mutants: $(CARGO_MUTANTS)
	@echo "Writing to target/mutants.out; this takes an hour on two cores"
	$(MUTATE) --cargo-arg=--lib || [ $$? -lt 4 ]
	$(MUTATE) --cargo-arg=--tests --iterate

RUNS ?= 10000000
.PHONY: fuzz
fuzz: $(CARGO_FUZZ)
	@cargo +nightly --version >/dev/null 2>&1 || { echo \
		"Fuzzing needs Rust's nightly toolchain: rustup toolchain install nightly --profile minimal" >&2; exit 1; }
	@PATH="$(CURDIR)/$(TOOLS)/bin:$(PATH)" sh fuzz/run.sh $(RUNS) $(TARGET)

.PHONY: worker
worker: $(BUILT)

# The Lambda mirror's zip for arm64, in the place where terraform/ expects it.
.PHONY: mirror
mirror: $(RUST) $(CARGO_LAMBDA)
	rustup target add aarch64-unknown-linux-gnu
	PATH="$(CURDIR)/$(CARGO_LAMBDA_VENV)/bin:$(PATH)" cargo lambda build --locked --profile mirror --arm64 \
		--features lambda --bin bootstrap --output-format zip --flatten bootstrap
	@ls -l target/lambda/bootstrap.zip

# A registry or database that cannot be reached fails the audit.
.PHONY: audit
audit: $(RUST) $(CARGO_DENY) $(AUDIT)
	@$(call need,npm,Node with npm is missing: install it from https://nodejs.org.)
	@PATH="$(CURDIR)/$(TOOLS)/bin:$(PATH)" exec $(AUDIT_VENV)/bin/python tools/audit.py

.PHONY: sbom
sbom: $(RUST) $(CARGO_CYCLONEDX) $(AUDIT)
	@PATH="$(CURDIR)/$(TOOLS)/bin:$(PATH)" exec $(AUDIT_VENV)/bin/python tools/sbom.py

TAG ?=
.PHONY: release
release: $(BUILT) mirror sbom
	@$(PYTHON) tools/release.py $(if $(TAG),--tag "$(TAG)")

.PHONY: archive
archive: $(BUILT)
	@$(PYTHON) tools/release.py --worker-only $(if $(TAG),--tag "$(TAG)")

# Two clones of HEAD with different paths, target directories and Cargo homes; they are left in place if they differ.
CLONES := $(CURDIR)/target/tmp/clones
ONE := $(CLONES)/one
OTHER := $(CLONES)/another/a-good-deal-longer
.PHONY: reproducible
reproducible: $(RUST) $(NPM) $(WORKER_BUILD) $(WASM_BINDGEN)
	@rm -rf $(CLONES)
	@for clone in $(ONE) $(OTHER); do git clone --quiet . $$clone && mkdir $$clone/target && \
		ln -s $(CURDIR)/node_modules $$clone && ln -s $(CURDIR)/$(SETUP) $(CURDIR)/$(TOOLS) $$clone/target || exit; done
	@ln -s $(HOME_OF_CARGO) $(OTHER)/cargo-home
	$(MAKE) -C $(ONE) -o $(RUST) -o $(NPM) worker CARGO_TARGET_DIR=$(ONE)/target
	$(MAKE) -C $(OTHER) -o $(RUST) -o $(NPM) worker CARGO_TARGET_DIR=$(CLONES)/elsewhere CARGO_HOME=$(OTHER)/cargo-home
	diff -rq $(ONE)/target/worker $(OTHER)/target/worker
	@cd $(ONE) && sha256sum target/worker/index_bg.wasm
	@rm -rf $(CLONES)

# The secret goes from AWS into the Worker's secrets without being shown or written to a file.
.PHONY: secrets
secrets: $(NPM)
	@$(call need,aws,The AWS CLI is missing: install it (https://docs.aws.amazon.com/cli).)
	@sh terraform/secrets.sh $(if $(URL),rotate "$(URL)")

.PHONY: setup
setup: $(RUST) $(NPM) $(PIP) $(CARGO_LAMBDA) $(CHECKOV) $(SCHEMATHESIS) $(AWSCLI) $(WORKER_BUILD) $(WASM_BINDGEN) \
	chromium promtool

# The tools that are built from source, by which continuous integration caches them.
.PHONY: tool-versions
tool-versions:
	@echo $(notdir $(WORKER_BUILD) $(WASM_BINDGEN))

.PHONY: clean
clean:
	rm -rf target dist node_modules bench/node_modules .wrangler

# A step of the set-up, by name and in words; see tools/step.sh.
STEP := sh tools/step.sh

# Cargo's part of the Worker, which takes longest and needs no other tool. worker-build calls cargo the same way, with
# the same variables, and finds it done.
CARGO_ENV := WASM_BINDGEN_USE_JS_SYS=1 RUSTFLAGS="$(CODE) $(NO_PATHS)"
CARGO_TARGET := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)
FOR_WASM := --locked --lib --release --target wasm32-unknown-unknown --target-dir $(CARGO_TARGET)
$(WASM): $(SOURCES) $(RUST)
	@$(STEP) cargo-wasm "compiling the Worker" env $(CARGO_ENV) cargo build $(FOR_WASM)
	@touch $@

# For tools/run.py, which makes Clippy the compiler: a look at the Worker's code, over the dependencies that are compiled.
# They are compiled for link-time optimization, which a static library may ask for, too, and then not do.
.PHONY: clippy-wasm32
clippy-wasm32: $(WASM)
	@env $(CARGO_ENV) cargo rustc --quiet $(FOR_WASM) --crate-type staticlib -- \
		-D warnings -C lto=off -C opt-level=0 -C codegen-units=256

$(BUILT): $(SOURCES) $(WASM) $(RUST) $(NPM) $(WORKER_BUILD) $(WASM_BINDGEN)
	@$(STEP) worker-build "joining the Worker's wasm and JavaScript" env $(CARGO_ENV) \
		WASM_BINDGEN_BIN=$(CURDIR)/$(TOOLS)/bin/wasm-bindgen ESBUILD_BIN=$(CURDIR)/node_modules/.bin/esbuild \
		$(TOOLS)/bin/worker-build --release --out-dir target/worker
	@$(STEP) wasm-opt "optimizing the wasm" \
		wasm-opt $(WASM_OPT) target/worker/index_bg.wasm -o target/worker/index_bg.wasm
	@touch $@
	@echo "Built target/worker: $$(gzip -9c target/worker/index_bg.wasm | wc -c) bytes of wasm, gzipped"

$(RUST): rust-toolchain.toml
	@$(call need,cargo,Rust is missing: install it with rustup (https://rustup.rs).)
	@$(call need,rustup,rustup is missing: it installs the toolchain that rust-toolchain.toml names (https://rustup.rs).)
	@$(STEP) rust "installing the Rust toolchain" rustup toolchain install --no-self-update
	@mkdir -p $(SETUP) && touch $@

$(NPM): package.json package-lock.json
	@$(call need,npm,Node with npm is missing: install it from https://nodejs.org.)
	@$(STEP) npm "installing npm's packages" npm ci --loglevel=error
	@touch $@

$(BENCH_NPM): bench/package.json bench/package-lock.json | $(NPM)
	@$(STEP) npm-bench "installing the benchmark's npm packages" npm ci --loglevel=error --prefix bench
	@touch $@

# $(call venv,directory,requirements)
define venv
	@$(call need,$(PYTHON),Python 3 is missing: install it, or name its command with make PYTHON=...)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is older than Python 3.11: install a newer one, or name it with make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
		{ echo "$(PYTHON) cannot create a virtual environment: install its venv module (Debian: python3-venv)." >&2; exit 1; }
	@$(STEP) pip-$(notdir $(1)) "installing $(2)" sh -c '$(PYTHON) -m venv --clear $(1) && \
		$(1)/bin/pip install --quiet --disable-pip-version-check --no-compile --no-deps --requirement $(2)'
	@mkdir -p $(SETUP) && touch $@
endef

$(PIP): tools/requirements.txt
	$(call venv,$(VENV),tools/requirements.txt)

$(CARGO_LAMBDA): tools/cargo-lambda-requirements.txt
	$(call venv,$(CARGO_LAMBDA_VENV),tools/cargo-lambda-requirements.txt)

# A virtual environment of its own, as Checkov pins older versions than other tools need.
$(CHECKOV): tools/checkov-requirements.txt
	$(call venv,$(CHECKOV_VENV),tools/checkov-requirements.txt)

$(SCHEMATHESIS): tools/schemathesis-requirements.txt
	$(call venv,$(SCHEMATHESIS_VENV),tools/schemathesis-requirements.txt)

$(AWSCLI): tools/awscli-requirements.txt
	$(call venv,$(AWSCLI_VENV),tools/awscli-requirements.txt)

$(AUDIT): tools/audit-requirements.txt
	$(call venv,$(AUDIT_VENV),tools/audit-requirements.txt)

# Chromium and promtool come from Debian if possible; otherwise, the tests that need them say how to install them.
# $(call apt,command): runs apt-get, again with updated lists if the first attempt fails
APT := DEBIAN_FRONTEND=noninteractive apt-get -qq -o APT::Sandbox::User=root
apt = command -v apt-get >/dev/null && { $(APT) $(1) || { $(APT) update && $(APT) $(1); }; }

.PHONY: chromium
chromium:
	@[ -n "$$CHROMIUM" ] || command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
		command -v google-chrome >/dev/null || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null || \
		{ echo "Installing Chromium"; $(call apt,install -y --no-install-recommends chromium >/dev/null); } || true

# After Chromium, as apt-get has a lock.
.PHONY: promtool
promtool: | chromium
	@command -v promtool >/dev/null || [ -x $(TOOLS)/bin/promtool ] || \
		{ mkdir -p $(TOOLS)/prometheus $(TOOLS)/bin && cd $(TOOLS)/prometheus && $(call apt,download prometheus) && \
		dpkg --fsys-tarfile prometheus_*.deb | tar -x -C ../bin --strip-components=3 ./usr/bin/promtool && \
		rm prometheus_*.deb; } || true

# The name of a stamp in $(SETUP) is a crate and its version.
INSTALL := cargo install --locked --root $(TOOLS)
crate = $(shell echo $* | sed 's/-\([0-9.]*\)$$/@\1/')

INSTALLED := $(CARGO_FUZZ) $(CARGO_DENY) $(CARGO_CYCLONEDX) $(CARGO_MUTANTS)
$(INSTALLED): $(SETUP)/%: | $(RUST)
	@$(STEP) $* "building $*" env CARGO_TARGET_DIR=target/tools/build CARGO_PROFILE_RELEASE_OPT_LEVEL=1 $(INSTALL) $(crate)
	@touch $@

# Not optimized: it runs for a second, and compiles for minutes.
$(WORKER_BUILD): $(SETUP)/%: | $(RUST)
	@$(STEP) $* "building $*" env CARGO_TARGET_DIR=target/tools/build-worker-build CARGO_PROFILE_RELEASE_OPT_LEVEL=0 \
		CARGO_PROFILE_RELEASE_CODEGEN_UNITS=256 $(INSTALL) $(crate) --bin worker-build
	@touch $@

# From a crate of our own, with a quarter of the crates that wasm-bindgen-cli has.
$(WASM_BINDGEN): | $(RUST)
	@grep -q '"=$(WASM_BINDGEN_VERSION)"' tools/bindgen/Cargo.toml || \
		{ echo "tools/bindgen/Cargo.toml has to name wasm-bindgen's version in Cargo.lock, $(WASM_BINDGEN_VERSION)." >&2; exit 1; }
	@$(STEP) wasm-bindgen "building wasm-bindgen $(WASM_BINDGEN_VERSION)" env CARGO_TARGET_DIR=target/tools/build-bindgen \
		$(INSTALL) --path tools/bindgen
	@touch $@
