#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The tests of the finack command once more, with a build that has AddressSanitizer and UBSan.
unset LD_PRELOAD # the runner's stdbuf would be loaded before the sanitizer
dir=$(cd "$(dirname "$0")" && pwd)
export FINACK=$dir/finack-asan
if [ $# -gt 0 ]; then
	exec "$dir/tool.sh" "$@"
fi
"$dir/tool.sh" && "$dir/tool_watch.sh"
