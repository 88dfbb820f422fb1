#!/bin/sh
# Installs FastBert from the checkout that this file lies in, into a new virtual environment. Every image, and
# check_image.py, install by this file, so that what is checked is what is built.
#
#   deploy/install.sh FOLDER EXTRAS [CONSTRAINTS...]     such as: deploy/install.sh /opt/fastbert serve deploy/serving.txt
#
# PYTHON: interpreter, with pip.    TORCH_INDEX: package index that torch alone is taken from; empty: where pip looks.
set -eu

folder=$1
extras=$2
shift 2
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
export PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_INPUT=1
wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT

pinned="-c constraints.txt"
for file in "$@"; do pinned="$pinned -c $file"; done

# The environment gets no pip of its own: nothing in an image installs anything.
"$python" -m venv --without-pip "$folder"
"$python" -m pip wheel --quiet --no-deps --wheel-dir "$wheels" .

# shellcheck disable=SC2086  # $pinned is several words
install() { "$python" -m pip --python "$folder/bin/python" install --no-compile $pinned "$@"; }

# With an index of its own beside the ordinary one, any package of that name on either would do; so one at a time.
if [ -n "${TORCH_INDEX:-}" ]; then install --no-deps --index-url "$TORCH_INDEX" torch; fi
install "$(echo "$wheels"/*.whl)[$extras]"

# Compiled here, as whoever runs it may not write. "unchecked": right also where copying changes times. Some packages
# bring templates that are no Python; these are not imported.
"$python" -m compileall -qq --invalidation-mode unchecked-hash "$folder/lib" || true
