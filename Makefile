# SPDX-License-Identifier: Apache-2.0
# Copyright 2026 The mod_ocsp_cache authors
#
# Builds, tests and installs mod_ocsp_cache. GNU make.
#
#   make                       out/mod_ocsp_cache.so, out/mod_ocsp_client.so and out/ocsp-cachectl
#   make install [DESTDIR=]    the module, ocsp-cachectl, the manual and, on Debian's layout, the files for a2enmod; make uninstall
#   make dist                  out/mod_ocsp_cache-VERSION.tar.gz, of what is committed: the same commit, the same bytes
#   make release               tarball, .deb and .rpm with their checksums, in out/release; make deb, make rpm: one of them
#   make assets                the style and the script of the status page, from page.css and page.js into assets.c
#   make clean
#
#   make check                 every test and guard (build/check.sh)
#   make check-guards          rules about the sources: layers, exports, the handshake path, documentation, style
#   make check-unit            the unit tests, and check-simulate; UNIT_TESTS=cache/test_shm: one of them
#   make check-asan            check-unit and check-fuzz with address and undefined-behaviour sanitizers
#   make check-tsan            the unit tests that run threads, with the thread sanitizer
#   make check-e2e             with a real httpd; PYTEST_ARGS='-k must_staple', E2E_JOBS=0
#   make check-flaky           test/e2e ten times over, under load too: which tests fail now and then; RUNS=n
#   make check-fuzz            the fuzz targets over their corpus; make fuzz FUZZ=arena SECONDS=60 finds new inputs
#   make soak                  servers under load while everything around them fails; MINUTES=10 SEED= MPM=: docs/reliability.md
#   make check-accessibility   the status page under axe-core, which npm fetches
#   make check-compat          other compilers, httpds and OpenSSLs
#   make check-packages        tarball, Debian package and RPM: built, installed, tried
#
#   make demo                  shows the module with a throw-away CA (build/demo.sh)
#   make demo-fleet            servers that share responses through a redis (build/fleet-demo.sh)
#   make demo-client           revoked clients and a responder that hangs, with mod_ssl and mod_ocsp_client (build/client-demo.sh)
#   make faults                the faults of a responder, and what clients get: docs/faults.md
#   make screenshot            the picture of the status page in docs/; make architecture: that of the architecture
#   make simulate              how often responders are queried, in virtual time: docs/schedule.md; simulate-fleet: by a fleet
#   make bench                 stapling against its alternatives: docs/benchmarks.md, which bench-docs draws
#   make bench-fleet           how often 20 real servers query a responder, without and with a store, in four minutes
#   make bench-cache           the cache compared with mod_socache_shmcb
#   make bench-scale           how the module grows with the number of certificates
#   make bench-client          client certificates: mod_ocsp_client against mod_ssl and nginx, in five minutes
#   make bench-verify          the verification of a response, compared with OpenSSL's OCSP_basic_verify()
#
# Another httpd?               make APXS=/opt/httpd/bin/apxs
# Another compiler?            make CC=clang OUT=out/clang
# A module with sanitizers?    make SANITIZE=address,undefined OUT=out/asan
#                              (gcc: its run-time library is shared, so that LD_PRELOAD can bring it into httpd)
# A compiler that warns more?  make WERROR=

# ---------------------------------------------------------------------------------------------- what belongs where
# A folder under src/ is a room. What a room shows to others is in include/ROOM/; test/guards/layers.py says which room may include
# which.

# APR, APR-util and libcrypto only: links into unit tests and tools without httpd.
CORE_ROOMS := client state view fleet ocsp fetch cache base
# May include httpd's headers.
GLUE_ROOMS := config status refresh server

CORE_UNITS := $(patsubst src/%.c,%,$(sort $(wildcard $(CORE_ROOMS:%=src/%/*.c))))
GLUE_UNITS := $(patsubst src/%.c,%,$(sort $(wildcard $(GLUE_ROOMS:%=src/%/*.c))))

# Unit tests that run threads: these also run under ThreadSanitizer.
THREAD_TESTS := \
    base/test_exec_queue base/test_handover base/test_lead base/test_workers base/test_workers_await base/test_workers_stop \
    cache/test_shm_race client/test_queue_and_gate fetch/test_connect fetch/test_fetch fetch/test_fetch_framing fetch/test_fetch_reuse \
    fetch/test_keepalive fetch/test_request fetch/test_stop fetch/test_trace state/test_counters \
    state/test_refresh_flags

# ------------------------------------------------------------------------------------------------------- settings
ifeq ($(origin CC),default)
CC := gcc
endif
VERSION  := $(shell sed -n 's/^.define OC_VERSION "\(.*\)"$$/\1/p' include/version.h)
OUT      ?= out
SANITIZE ?=
WERROR   ?= -Werror
APXS     ?= $(shell command -v apxs || command -v apxs2 || echo apxs)
APXS     := $(APXS)
INSTALL  ?= install
PYTHON   ?= /usr/bin/python3
PYTEST   ?= $(PYTHON) -m pytest
OPENSSL_CFLAGS ?=
OPENSSL_LIBS   ?= -lcrypto

apxs_q = $(shell $(APXS) -q $(1) 2>/dev/null)
APXS_CFLAGS   := $(call apxs_q,CFLAGS)
APXS_CPPFLAGS := $(call apxs_q,EXTRA_CPPFLAGS)
HTTPD_INCLUDE := $(call apxs_q,INCLUDEDIR)
# The folder of the cache where SSLStaplingCache names none.
CACHEDIR   ?= /var/cache/$(or $(call apxs_q,progname),httpd)
CACHEDIR   := $(CACHEDIR)
APR_CONFIG ?= $(or $(call apxs_q,APR_CONFIG),apr-1-config)
APU_CONFIG ?= $(or $(call apxs_q,APU_CONFIG),apu-1-config)

# Warnings in other people's headers are not ours: -isystem. /usr/include is searched anyway, and naming it would
# change the order in which the compiler's own headers are found.
APR_INCLUDE := $(addprefix -isystem ,$(filter-out /usr/include,$(sort $(patsubst -I%,%,$(filter -I%,$(shell $(APR_CONFIG) --includes) $(shell $(APU_CONFIG) --includes))))))
APR_LIBS    := $(shell $(APU_CONFIG) --link-ld) $(shell $(APR_CONFIG) --link-ld)

WARNINGS := -Wall -Wextra $(WERROR) -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes
ifeq ($(SANITIZE),)
HARDENING := -O2 -g -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
else
HARDENING := -O1 -g -fno-omit-frame-pointer -U_FORTIFY_SOURCE -fsanitize=$(SANITIZE) -fno-sanitize-recover=all
SANITIZER := -fsanitize=$(SANITIZE)
endif

COMMON_FLAGS = $(APXS_CFLAGS) -std=gnu11 -fPIC -pthread $(WARNINGS) $(HARDENING) -Iinclude $(APXS_CPPFLAGS) $(APR_INCLUDE) $(OPENSSL_CFLAGS) $(CFLAGS) $(CPPFLAGS)
CORE_FLAGS   = $(COMMON_FLAGS) -fvisibility=hidden
GLUE_FLAGS   = $(CORE_FLAGS) -isystem $(HTTPD_INCLUDE) -DOC_CACHE_DIR=\"$(CACHEDIR)\"
# The module record itself is the one thing to be seen from outside; build/exports.map hides what else is in that object.
ROOT_FLAGS   = $(COMMON_FLAGS) -isystem $(HTTPD_INCLUDE)
# -z nodelete: mod_ssl keeps pointers to the provider after a reload that removes the module (ARCHITECTURE.md).
MODULE_LDFLAGS = -shared -pthread -Wl,-z,nodelete -Wl,-z,relro,-z,now -Wl,--version-script=build/exports.map $(SANITIZER) $(LDFLAGS)

# Programs: the core and APR, without httpd.
TOOL_FLAGS = $(CORE_FLAGS) -Itools -DOC_CACHE_DIR=\"$(CACHEDIR)\"
TOOL_LDFLAGS = -pie -pthread -Wl,-z,relro,-z,now $(SANITIZER) $(LDFLAGS)

# `make V=1` shows the commands.
say = $(if $(V),,@echo '  $(1)  $@';)

# --------------------------------------------------------------------------------------------------------- outputs
MODULE := $(OUT)/mod_ocsp_cache.so
# Not built without mod_ssl's header for modules, which Debian has in a package of its own.
CLIENT := $(if $(wildcard $(HTTPD_INCLUDE)/mod_ssl_openssl.h),$(OUT)/mod_ocsp_client.so)
CORE   := $(OUT)/liboc_core.a
CACHECTL := $(OUT)/ocsp-cachectl
TOOL_OBJECTS := $(patsubst tools/%.c,$(OUT)/tools/%.o,$(wildcard tools/*.c))
CORE_OBJECTS := $(CORE_UNITS:%=$(OUT)/core/%.o)
GLUE_OBJECTS := $(GLUE_UNITS:%=$(OUT)/glue/%.o)
ROOT_OBJECT  := $(OUT)/mod_ocsp_cache.o
# mod_ocsp_client.c and mtls/ are the module that needs libssl. It has one unit in common with the other module.
CLIENT_ROOT := $(OUT)/mod_ocsp_client.o
CLIENT_OBJECTS := $(CLIENT_ROOT) $(patsubst mtls/%.c,$(OUT)/mtls/%.o,$(sort $(wildcard mtls/*.c))) $(OUT)/core/base/duration.o
TEST_SUPPORT := $(patsubst test/unit/%.c,$(OUT)/unit/%.o,$(wildcard test/unit/support_*.c))
UNIT_TESTS   ?= $(patsubst test/unit/%.c,%,$(wildcard test/unit/*/test_*.c))
UNIT_BINARIES := $(UNIT_TESTS:%=$(OUT)/unit/%)

.PHONY: all core assets install uninstall dist deb rpm release architecture clean \
        check check-guards check-unit check-simulate check-fuzz check-asan check-tsan check-e2e check-flaky soak check-accessibility check-compat check-packages \
        objects test-objects fuzz demo demo-fleet demo-client simulate simulate-fleet faults screenshot bench bench-run bench-docs bench-client bench-cache bench-fleet bench-scale bench-verify FORCE
.SECONDARY:
.DELETE_ON_ERROR:

all: $(MODULE) $(CLIENT) $(CACHECTL)
	$(if $(CLIENT),,@echo 'make: no mod_ocsp_client.so: $(HTTPD_INCLUDE)/mod_ssl_openssl.h is missing (Debian: apache2-ssl-dev)')
core: $(CORE)
# Compiled only: build/compat.sh musl.
objects: $(ROOT_OBJECT) $(GLUE_OBJECTS) $(CORE_OBJECTS) $(CLIENT_OBJECTS) $(TOOL_OBJECTS)
test-objects: $(TEST_SUPPORT) $(UNIT_BINARIES:%=%.o)

assets:
	$(call say,ASSETS)$(PYTHON) build/assets.py

$(MODULE): $(ROOT_OBJECT) $(GLUE_OBJECTS) $(CORE_OBJECTS) build/exports.map
	$(call say,LD)$(CC) $(MODULE_LDFLAGS) -o $@ $(filter %.o,$^) $(OPENSSL_LIBS)

$(OUT)/mod_ocsp_client.so: $(CLIENT_OBJECTS) build/exports.map
	$(call say,LD)$(CC) $(MODULE_LDFLAGS) -o $@ $(filter %.o,$^) -lssl $(OPENSSL_LIBS)

$(CORE): $(CORE_OBJECTS)
	@rm -f $@
	$(call say,AR)$(AR) rcs $@ $^

$(ROOT_OBJECT): mod_ocsp_cache.c $(OUT)/flags | $(OUT)
	@test -n "$(HTTPD_INCLUDE)" || { echo "make: '$(APXS)' does not run: install apache2-dev (httpd-devel), or set APXS=/path/to/apxs" >&2; exit 1; }
	$(call say,CC)$(CC) $(ROOT_FLAGS) -MMD -MP -c -o $@ $<
$(CLIENT_ROOT): mod_ocsp_client.c $(OUT)/flags | $(OUT)
	$(call say,CC)$(CC) $(ROOT_FLAGS) -MMD -MP -c -o $@ $<
$(OUT)/mtls/%.o: mtls/%.c $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(GLUE_FLAGS) -MMD -MP -c -o $@ $<
$(OUT)/glue/%.o: src/%.c $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(GLUE_FLAGS) -MMD -MP -c -o $@ $<
$(OUT)/core/%.o: src/%.c $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(CORE_FLAGS) -MMD -MP -c -o $@ $<
$(OUT)/tools/%.o: tools/%.c $(OUT)/flags | $(OUT)/tools
	$(call say,CC)$(CC) $(TOOL_FLAGS) -MMD -MP -c -o $@ $<
$(CACHECTL): $(TOOL_OBJECTS) $(CORE)
	$(call say,LD)$(CC) $(TOOL_LDFLAGS) -o $@ $^ $(APR_LIBS) -lssl $(OPENSSL_LIBS)
# Tests look into the rooms, too: "fetch/head.h" is src/fetch/head.h.
TEST_INCLUDE := -Itest/unit -Itest -Isrc
# cmocka 2 gives some of the names of cmocka 1 up, and has new ones that cmocka 1 lacks.
$(OUT)/unit/%.o: test/unit/%.c $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(COMMON_FLAGS) -Wno-deprecated-declarations $(TEST_INCLUDE) -MMD -MP -c -o $@ $<
$(UNIT_BINARIES): %: %.o $(TEST_SUPPORT) $(CORE)
	$(call say,LD)$(CC) -pthread $(SANITIZER) $(LDFLAGS) -o $@ $^ -lcmocka $(APR_LIBS) $(OPENSSL_LIBS)

$(OUT)/bench/%.o: test/bench/%.c $(OUT)/flags | $(OUT)/bench
	$(call say,CC)$(CC) $(COMMON_FLAGS) -MMD -MP -c -o $@ $<
# The load client has nothing of the module in it.
$(OUT)/bench/load: $(patsubst test/bench/%.c,$(OUT)/bench/%.o,$(wildcard test/bench/load*.c))
	$(call say,LD)$(CC) -pthread $(SANITIZER) $(LDFLAGS) -o $@ $^ -lssl $(OPENSSL_LIBS)
$(OUT)/bench/fleet: $(OUT)/bench/fleet_queue.o
$(OUT)/bench/fleet.o $(OUT)/bench/simulate.o: private COMMON_FLAGS += -Itest
# Responses from the PKI of the unit tests.
$(OUT)/bench/bench_verify.o: private COMMON_FLAGS += -Itest/unit
$(OUT)/bench/bench_verify: private OPENSSL_LIBS += -lcmocka
$(OUT)/bench/bench_verify: $(OUT)/unit/support_pki.o
$(OUT)/bench/%: $(OUT)/bench/%.o $(CORE)
	$(call say,LD)$(CC) -pthread $(SANITIZER) $(LDFLAGS) -o $@ $^ $(APR_LIBS) $(OPENSSL_LIBS)

$(OUT) $(OUT)/bench $(OUT)/tools:
	@mkdir -p $@

# Another compiler or other flags: everything is compiled again.
$(OUT)/flags: FORCE | $(OUT)
	@echo '$(CC) $(GLUE_FLAGS) $(MODULE_LDFLAGS)' | cmp -s - $@ || echo '$(CC) $(GLUE_FLAGS) $(MODULE_LDFLAGS)' > $@
FORCE:

-include $(wildcard $(OUT)/*.d $(OUT)/*/*.d $(OUT)/*/*/*.d)

# ----------------------------------------------------------------------------------------------------------- tests
check:
	build/check.sh --no-install

demo:
	build/demo.sh
demo-fleet:
	build/fleet-demo.sh
demo-client:
	build/client-demo.sh

# How fast the cache is read, compared with mod_socache_shmcb and a memcpy; BENCH_ARGS=--quick takes ten seconds (test/bench/README.md).
bench-cache: $(MODULE)
	APXS='$(APXS)' CC='$(CC)' OUT='$(OUT)' OCSP_CACHE_MODULE='$(abspath $(MODULE))' $(PYTHON) test/bench/bench_cache.py $(BENCH_ARGS)

# How often responders are queried, over a month of virtual time: docs/schedule.md.
simulate: $(OUT)/bench/simulate
	$< --json $(OUT)/simulate.json
# How often a fleet queries its responder: 10,000 servers, 1,000 certificates, a week; some minutes on all CPUs.
simulate-fleet: $(OUT)/bench/fleet
	$< --json $(OUT)/fleet.json
# The same by 20 real servers, in four minutes.
bench-fleet: $(MODULE)
	@PYTHONDONTWRITEBYTECODE=1 APXS='$(APXS)' OCSP_CACHE_MODULE='$(abspath $(MODULE))' $(PYTHON) test/bench/fleet_real.py --json $(OUT)/bench/fleet_real.json $(BENCH_ARGS)
check-simulate: $(OUT)/bench/simulate $(OUT)/bench/fleet
	@$(OUT)/bench/simulate --check && $(OUT)/bench/fleet --check

# Stapling against no stapling, mod_ssl + shmcb, mod_md, nginx and haproxy, within ten minutes; BENCH=quick takes two and is rough. The
# figures go to out/bench/results.json, from which bench-docs draws the charts and tables of docs/benchmarks.md (test/bench/README.md).
bench:
	build/deps.sh bench
	@$(MAKE) --no-print-directory bench-run
bench-run: $(MODULE) $(OUT)/bench/load
	@PYTHONDONTWRITEBYTECODE=1 APXS='$(APXS)' OCSP_CACHE_MODULE='$(abspath $(MODULE))' LOAD_CLIENT='$(abspath $(OUT)/bench/load)' BENCH='$(BENCH)' $(PYTHON) test/bench/bench.py $(BENCH_ARGS)
bench-client: all $(OUT)/bench/load
	@PYTHONDONTWRITEBYTECODE=1 APXS='$(APXS)' OCSP_CACHE_MODULE='$(abspath $(MODULE))' LOAD_CLIENT='$(abspath $(OUT)/bench/load)' BENCH='$(BENCH)' $(PYTHON) test/bench/bench_client.py $(BENCH_ARGS)
bench-docs:
	PYTHONDONTWRITEBYTECODE=1 $(PYTHON) test/bench/bench_docs.py $(BENCH_ARGS)

# How the module grows with the number of certificates, and what a refreshed one costs; SCALE='--hosts 1000' is shorter.
bench-scale: $(MODULE) $(OUT)/bench/bench_refresh
	PYTHONDONTWRITEBYTECODE=1 APXS='$(APXS)' OCSP_CACHE_MODULE='$(abspath $(MODULE))' $(PYTHON) test/bench/scale.py $(SCALE)

# How long a verification takes, compared with the least that OpenSSL offers; in ten seconds.
bench-verify: $(OUT)/bench/bench_verify
	@$< $(BENCH_ARGS)

# Everything that a responder can do wrong, and what clients get then: docs/faults.md.
faults: $(MODULE)
	PYTHONDONTWRITEBYTECODE=1 APXS='$(APXS)' OCSP_CACHE_MODULE='$(abspath $(MODULE))' $(PYTHON) test/e2e/harness/fault_table.py

# One cmocka program per unit, two at a time for each processor: many of them wait. A program that ran no test has failed.
check-unit: $(UNIT_BINARIES) check-simulate
	@printf '%s\n' $(UNIT_BINARIES) | xargs -P $$(expr 2 '*' $$(nproc)) -n 1 test/unit/run.sh

check-asan:
	@$(MAKE) --no-print-directory SANITIZE=address,undefined OUT=$(OUT)/asan check-unit check-fuzz

check-tsan:
	@$(MAKE) --no-print-directory SANITIZE=thread OUT=$(OUT)/tsan UNIT_TESTS='$(filter $(THREAD_TESTS),$(UNIT_TESTS))' check-unit

# The fuzz targets over their corpus: `make check-fuzz` replays it with any compiler; `make fuzz FUZZ=arena SECONDS=60` continues
# with new inputs, with clang's libFuzzer.
FUZZ_TARGETS := $(patsubst test/fuzz/fuzz_%.c,%,$(wildcard test/fuzz/fuzz_*.c))
$(OUT)/fuzz/replay_%: test/fuzz/fuzz_%.c test/fuzz/replay.c test/fuzz/fuzz.h $(CORE)
	@mkdir -p $(@D)
	$(call say,LD)$(CC) $(COMMON_FLAGS) $(TEST_INCLUDE) -o $@ $(filter %.c,$^) $(CORE) $(APR_LIBS) $(OPENSSL_LIBS)
check-fuzz: $(FUZZ_TARGETS:%=$(OUT)/fuzz/replay_%)
	@for t in $(FUZZ_TARGETS); do $(OUT)/fuzz/replay_$$t test/fuzz/corpus/$$t || exit 1; done
SECONDS ?= 60
fuzz:
	@mkdir -p out/fuzz
	clang -g -O1 -fsanitize=fuzzer,address,undefined $(filter-out -Werror,$(COMMON_FLAGS)) $(TEST_INCLUDE) -o out/fuzz/fuzz_$(FUZZ) test/fuzz/fuzz_$(FUZZ).c $(CORE_UNITS:%=src/%.c) $(APR_LIBS) $(OPENSSL_LIBS)
	@mkdir -p out/fuzz/found_$(FUZZ)
	cd out/fuzz && ./fuzz_$(FUZZ) -max_total_time=$(SECONDS) found_$(FUZZ) ../../test/fuzz/corpus/$(FUZZ)

# Most of the time these tests wait: several files of them at a time. E2E_JOBS=0: one after the other, output as it comes.
E2E_JOBS ?= $(shell expr 3 '*' $$(nproc))
check-e2e: $(MODULE) $(CLIENT) $(CACHECTL) $(OUT)/bench/load
	PYTHONDONTWRITEBYTECODE=1 APXS='$(APXS)' OCSP_CACHE_MODULE='$(abspath $(MODULE))' OCSP_CACHECTL='$(abspath $(CACHECTL))' LOAD_CLIENT='$(abspath $(OUT)/bench/load)' $(PYTEST) -n $(E2E_JOBS) --dist loadfile test/e2e $(PYTEST_ARGS)

# Tests that fail now and then.
RUNS ?= 10
check-flaky: $(MODULE) $(CLIENT) $(CACHECTL) $(OUT)/bench/load
	@OUT='$(OUT)' APXS='$(APXS)' PYTEST_ARGS='$(PYTEST_ARGS)' build/check-flaky.sh $(RUNS)

# Servers under load while everything around them fails: test/soak, docs/reliability.md.
MINUTES ?= 10
soak: $(MODULE) $(CLIENT) $(OUT)/bench/load
	@PYTHONDONTWRITEBYTECODE=1 APXS='$(APXS)' OCSP_CACHE_MODULE='$(abspath $(MODULE))' LOAD_CLIENT='$(abspath $(OUT)/bench/load)' $(PYTHON) test/soak/soak.py \
	    --minutes $(MINUTES) $(if $(SEED),--seed '$(SEED)') $(if $(MPM),--mpm '$(MPM)') --json $(OUT)/soak.json

# The status page under axe-core, which npm fetches; not part of `make check`.
AXE := axe-core-4.10.3
AXE_SHA256 := 880970c081707360e64f34cea25ff91892f5bc95675b0776925b9709dd8a68bb
$(OUT)/axe/package/axe.min.js:
	@mkdir -p $(OUT)/axe
	cd $(OUT)/axe && npm pack --silent $(subst core-,core@,$(AXE)) && tar -xzf $(AXE).tgz package/axe.min.js
	@echo '$(AXE_SHA256)  $@' | sha256sum --check --quiet
check-accessibility: $(MODULE) $(OUT)/axe/package/axe.min.js
	PYTHONDONTWRITEBYTECODE=1 APXS='$(APXS)' OCSP_CACHE_MODULE='$(abspath $(MODULE))' OC_AXE='$(abspath $(OUT)/axe/package/axe.min.js)' \
	    $(PYTEST) -p no:cacheprovider test/e2e/status/axe_status_page.py

# The picture in docs/.
screenshot: $(MODULE)
	PYTHONDONTWRITEBYTECODE=1 APXS='$(APXS)' OCSP_CACHE_MODULE='$(abspath $(MODULE))' $(PYTHON) test/e2e/harness/screenshot_status_page.py docs/img/status-page.png

# The picture in ARCHITECTURE.md and the manual, from its text.
architecture:
	build/deps.sh pictures
	dot -Tsvg docs/img/architecture.dot | sed '/^<!-- Generated by/,/-->$$/d' > docs/img/architecture.svg

check-guards:
	test/guards/run.sh

# `make print-CORE_UNITS`: how scripts read this file.
print-%:
	@echo '$($*)'

# --------------------------------------------------------------------------------------------------------- install
# MODSDIR: where a2enmod looks. Found by itself on a system with Debian's layout; `make install MODSDIR=` leaves it alone, and a
# package build, whose root may not have the folder yet, names it.
# CACHEDIR (above) is created, root's own and 0755, only where it is missing; it is never removed.
LIBEXECDIR ?= $(call apxs_q,LIBEXECDIR)
SBINDIR    ?= $(call apxs_q,SBINDIR)
SYSCONFDIR ?= $(call apxs_q,SYSCONFDIR)
DATADIR    ?= /usr/local/share
DOCDIR     ?= $(DATADIR)/doc/mod_ocsp_cache
MANDIR     ?= $(DATADIR)/man
COMPLETIONDIR ?= $(DATADIR)/bash-completion/completions
ZSHDIR     ?= $(DATADIR)/zsh/site-functions
FISHDIR    ?= $(DATADIR)/fish/vendor_completions.d
MODSDIR    ?= $(patsubst $(DESTDIR)%,%,$(firstword $(wildcard $(DESTDIR)$(SYSCONFDIR)/mods-available $(SYSCONFDIR)/mods-available)))

DOCUMENTS := README.md SECURITY.md CHANGES.md conf/ocsp_cache-reference.conf $(wildcard docs/*.md docs/manual/*.md) \
             $(wildcard docs/img/*.svg docs/img/*.png) docs/monitoring/alerts.yml docs/monitoring/grafana.json
INSTALLED_FILES = $(LIBEXECDIR)/mod_ocsp_cache.so $(CLIENT:$(OUT)/%=$(LIBEXECDIR)/%) $(SBINDIR)/ocsp-cachectl $(addprefix $(DOCDIR)/,$(DOCUMENTS)) \
                  $(MANDIR)/man8/ocsp-cachectl.8 $(COMPLETIONDIR)/ocsp-cachectl $(ZSHDIR)/_ocsp-cachectl $(FISHDIR)/ocsp-cachectl.fish

install: all
	$(INSTALL) -d $(addprefix '$(DESTDIR)',$(sort $(dir $(INSTALLED_FILES))))
	$(INSTALL) -m 0644 $(MODULE) '$(DESTDIR)$(LIBEXECDIR)/mod_ocsp_cache.so'
	$(if $(CLIENT),$(INSTALL) -m 0644 $(CLIENT) '$(DESTDIR)$(LIBEXECDIR)/mod_ocsp_client.so')
	$(INSTALL) -m 0755 $(CACHECTL) '$(DESTDIR)$(SBINDIR)/ocsp-cachectl'
	build/install-docs.sh '$(DESTDIR)$(DOCDIR)' $(DOCUMENTS)
	$(INSTALL) -m 0644 tools/ocsp-cachectl.8 '$(DESTDIR)$(MANDIR)/man8/'
	$(INSTALL) -m 0644 tools/ocsp-cachectl.bash '$(DESTDIR)$(COMPLETIONDIR)/ocsp-cachectl'
	$(INSTALL) -m 0644 tools/ocsp-cachectl.zsh '$(DESTDIR)$(ZSHDIR)/_ocsp-cachectl'
	$(INSTALL) -m 0644 tools/ocsp-cachectl.fish '$(DESTDIR)$(FISHDIR)/ocsp-cachectl.fish'
	test -d '$(DESTDIR)$(CACHEDIR)' || $(INSTALL) -d -m 0755 '$(DESTDIR)$(CACHEDIR)'
	@MODULE='$(LIBEXECDIR)/mod_ocsp_cache.so' CLIENT='$(CLIENT:$(OUT)/%=$(LIBEXECDIR)/%)' build/install-conf.sh install '$(DESTDIR)' '$(MODSDIR)'

uninstall:
	@MODULE='$(LIBEXECDIR)/mod_ocsp_cache.so' CLIENT='$(CLIENT:$(OUT)/%=$(LIBEXECDIR)/%)' build/install-conf.sh uninstall '$(DESTDIR)' '$(MODSDIR)'
	rm -f $(addprefix '$(DESTDIR)',$(INSTALLED_FILES))
	for folder in $(addprefix '$(DESTDIR)$(DOCDIR)',/docs/img /docs/manual /docs/monitoring /docs /conf) '$(DESTDIR)$(DOCDIR)'; do \
	    test ! -d "$$folder" || rmdir --ignore-fail-on-non-empty "$$folder"; done

# ------------------------------------------------------------------------------------------------------------ packages
# Times, owners, modes and order come from the commit, not from the folder, the user's umask or git's configuration.
DIST := $(OUT)/mod_ocsp_cache-$(VERSION).tar.gz
dist: | $(OUT)
	@git rev-parse HEAD >/dev/null || { echo 'make: dist is made in a clone' >&2; exit 1; }
	@git diff --quiet HEAD || echo 'make: what is not committed is not in it' >&2
	git -c tar.umask=0022 -c core.autocrlf=false archive --format=tar --prefix=mod_ocsp_cache-$(VERSION)/ HEAD | gzip -9n > $(DIST)
	@echo '$(DIST)'

release:
	build/deps.sh packages
	build/release.sh
deb rpm:
	build/deps.sh packages
	build/release.sh $@

# Other compilers, other versions of httpd, OpenSSL and Debian: docs/compatibility.md.
check-compat:
	build/compat.sh $(COMPAT)

# Builds tarball, Debian package and RPM, and tries the Debian package in a throw-away system (build/package-check.sh).
check-packages:
	build/package-check.sh

clean:
	rm -rf $(OUT)
