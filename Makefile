# SPDX-License-Identifier: GPL-2.0-only
#
# For people: make help. The module is built by kbuild, which reads Kbuild instead of this file.

MAKEFLAGS += --no-print-directory

KVER ?= $(shell uname -r)
KDIR ?= /lib/modules/$(KVER)/build
DESTDIR ?=
PREFIX ?= /usr/local
KERNELS ?= 6.1 7.3 debug

VM := selftests/qemu/vm

# the command goes to the guest as it is written, dollar signs and all
ifneq ($(origin CMD),undefined)
export FINACK_CMD := $(value CMD)
unexport CMD
endif

.PHONY: all module tools tests demo check test bench bench-compare vm vm-clean install uninstall clean help

all: module tools			## build the module (KVER=, KDIR=) and the tool

module:					## build module/finack.ko
	$(Q)$(if $(wildcard $(KDIR)),,$(error no kernel headers in $(KDIR); \
		on Debian: apt-get install linux-headers-$(KVER), or name others with KVER= or KDIR=))
	$(Q)$(MAKE) -C $(KDIR) M=$(CURDIR) modules

tools:					## build tools/finack
	$(Q)$(MAKE) -C tools

tests: tools				## build what the tests run in a guest
	$(Q)$(MAKE) -C selftests all

demo:					## close connections in a throwaway guest and draw the segments
	@selftests/demo

check:					## all tests (KERNELS='6.1 6.12 7.3 debug 6.1-rt' ONLY='gates|name...')
	@KERNELS='$(KERNELS)' LONG='$(LONG)' ONLY='$(ONLY)' selftests/check/run

test:					## some tests at once (T='name...' ARGS='case...' KERNEL= SMP= PARAMS=)
	@selftests/check/test

bench:					## what it costs, in instructions (KERNEL= SECTIONS= OUT=)
	@selftests/bench/run

bench-compare:				## the same of another revision, side by side (REV= SECTIONS=)
	$(if $(REV),,$(error REV= must name a revision))selftests/bench/run '$(REV)'

vm:					## a shell, or CMD='...', in a throwaway guest (KERNEL= SMP= SHARE= ...)
	@$(VM)

vm-clean:				## free the cache of guests and downloads
	@selftests/qemu/clean

install: all				## install module, tool, man page, completion (DESTDIR=, PREFIX=)
	install -D -m 644 module/finack.ko $(DESTDIR)/lib/modules/$(KVER)/updates/finack.ko
	install -D -m 755 tools/finack $(DESTDIR)$(PREFIX)/bin/finack
	install -D -m 644 tools/finack.8 $(DESTDIR)$(PREFIX)/share/man/man8/finack.8
	install -D -m 644 tools/bash-completion/finack \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/finack
	$(if $(DESTDIR),,depmod $(KVER))

uninstall:				## remove them again
	rm -f $(DESTDIR)/lib/modules/$(KVER)/updates/finack.ko $(DESTDIR)$(PREFIX)/bin/finack \
		$(DESTDIR)$(PREFIX)/share/man/man8/finack.8 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/finack
	$(if $(DESTDIR),,depmod $(KVER))

clean:					## remove what was built here
	$(Q)$(if $(wildcard $(KDIR)),$(MAKE) -C $(KDIR) M=$(CURDIR) clean)
	$(Q)$(MAKE) -C tools clean
	$(Q)$(MAKE) -C selftests clean

help:					## list these targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' Makefile | expand -t 16
