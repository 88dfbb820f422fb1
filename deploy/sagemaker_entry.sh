#!/bin/sh
# The words that SageMaker starts a container with, as commands. "exec": signals reach the command itself.
set -eu

word=${1:-}
if [ $# -gt 0 ]; then shift; fi
case $word in
  train) exec fastbert sagemaker train "$@" ;;
  serve) exec fastbert serve --platform sagemaker "$@" ;;
  *)
    echo "error: this container was started with '$word'; expected train or serve." >&2
    echo "hint: docker run IMAGE train, or docker run IMAGE serve, as SageMaker does." >&2
    exit 2
    ;;
esac
