#!/bin/sh
# Installs FastBert from the checkout that this file lies in, into a new virtual environment. Every image installs by
# this file, and so does who checks one without an image builder: what is checked is what is built.
#
#   deploy/install.sh FOLDER EXTRAS        such as: deploy/install.sh /opt/fastbert serve
#
# PYTHON: interpreter, with pip.    TORCH_INDEX: package index that torch alone is taken from; empty: where pip looks.
# VERSIONS: file of the exact versions to install, deploy/versions.txt.
set -eu

folder=$1
extras=$2
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
versions=${VERSIONS:-deploy/versions.txt}
export PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore PIP_NO_INPUT=1
wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT

# The environment gets no pip of its own: nothing in an image installs anything.
"$python" -m venv --without-pip "$folder"
"$python" -m pip wheel --quiet --no-deps --wheel-dir "$wheels" .

install() {
  "$python" -m pip --python "$folder/bin/python" install --quiet --no-compile -c constraints.txt -c "$versions" "$@"
}

# With an index of its own beside the ordinary one, any package of that name on either would do; so one at a time.
if [ -n "${TORCH_INDEX:-}" ]; then install --no-deps --index-url "$TORCH_INDEX" torch; fi
install "$(echo "$wheels"/*.whl)[$extras]"

# Compiled here, as whoever runs it may not write. "unchecked": right also where copying changes times. Some packages
# bring templates that are no Python; these are not imported.
"$python" -m compileall -qq --invalidation-mode unchecked-hash "$folder/lib" || true
