# Everything a newcomer needs: `make demo` and `make test`. Both install what is missing (as root, on Debian 12).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := list
.PHONY: list demo test test-fast lint docs wheel deb bench soak streams pbx clean

list:  ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

$(READY): pyproject.toml .ci/constraints.txt
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || (apt-get update -q && apt-get install -qy python3-venv)
	@rm -rf $(VENV) && $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install -q --disable-pip-version-check -c .ci/constraints.txt -e '.[test,lint,docs]'
	@touch $@

pbx: $(READY)  ## Provision the Asterisk, the SIP phones and the sound tools that demo and tests use (once)
	@$(BIN)/python -m tests.pbx provision

demo: pbx  ## Real calls through a real Asterisk: announced, recorded, registered, shown
	@$(BIN)/python -m tests.pbx.demo

# Live tests wait more than they compute, so more of them than there are cores go on at once; the others wait for disks.
LIVE = $(shell grep -rl --include='test_*.py' 'mark\.live' tests)
test: pbx lint  ## Everything: rules, fast tests, both databases, live calls
	$(BIN)/pytest -n 3 --dist loadgroup -m "not live"
	$(BIN)/pytest -n 4 --dist loadgroup -m "live and not soak" $(LIVE)
	$(BIN)/pytest -m soak tests/live/test_soak.py

FAST = $(addprefix tests/,core config asterisk vault units streams)
test-fast: $(READY)  ## The inner loop: what decides, what speaks to Asterisk, what seals; under a minute
	$(BIN)/pytest -n 2 -m "not live" $(FAST)

lint: $(READY)  ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/mypy

docs: $(READY)  ## The documentation as a site, in build/site; a broken link ends it
	$(BIN)/properdocs build --quiet --config-file docs/site/properdocs.yml

wheel: $(READY)  ## The wheel and the source archive, in dist
	$(BIN)/python -m build --outdir dist

DEB_PYTHON ?= $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
deb: wheel  ## A Debian package, in dist (DEB_PYTHON=3.13 for Debian 13)
	$(BIN)/python .ci/deb/build.py --python $(DEB_PYTHON) --wheel $$(ls -t dist/ami_bridge-*.whl | head -1)

bench: pbx  ## Our speed beside a peer's in the same run, as ratios
	@$(BIN)/python -m bench

MINUTES ?= 30
RATE ?= 6
AWAY ?= 0
soak: pbx  ## Calls under random faults, then the ledger against the register (MINUTES=30 RATE=6; AWAY=60: only the database, so long)
	@$(BIN)/python -m tests.soak --minutes $(MINUTES) --rate $(RATE) --database-away $(AWAY)

STREAMS := $(wildcard tests/live/test_shapes.py tests/live/test_transfers.py tests/live/test_queues_and_holds.py tests/live/test_steering.py)
streams: pbx  ## Record the AMI streams of tests/streams anew: the scenarios on both releases (about 15 minutes)
	rm -f tests/streams/[0-9]*/*.ami tests/streams/[0-9]*/*.json
	AMI_BRIDGE_RECORD_STREAMS=1 $(BIN)/pytest -n 4 --dist loadgroup $(STREAMS)
	$(BIN)/pytest tests/streams

clean:  ## Remove what make made here (the cached PBX stays)
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
