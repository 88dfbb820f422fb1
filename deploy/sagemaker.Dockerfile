# Amazon SageMaker, both words: train, and serve.    docker build -f deploy/sagemaker.Dockerfile -t fastbert-sagemaker .
#
# It runs as root, which SageMaker expects: /opt/ml belongs to root there. TORCH_INDEX and the secret are as in
# training.Dockerfile. An endpoint that never trains is smaller from serving.Dockerfile.

ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
ARG TORCH_INDEX=""
WORKDIR /source
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY src/ src/
COPY deploy/install.sh deploy/versions.txt deploy/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf deploy/install.sh /opt/fastbert train,minilm,onnx,serve

FROM ${BASE}
ARG VERSION=0
LABEL org.opencontainers.image.title="FastBert for SageMaker" \
      org.opencontainers.image.description="Training jobs and endpoints of Amazon SageMaker" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      com.amazonaws.sagemaker.capabilities.accept-bind-to-port="true" \
      com.amazonaws.sagemaker.capabilities.multi-models="true"

RUN python -m pip uninstall --yes --quiet --root-user-action=ignore setuptools wheel pip
COPY --from=build /opt/fastbert /opt/fastbert
COPY --chmod=755 deploy/sagemaker_entry.sh /opt/fastbert/bin/sagemaker_entry

ENV PATH=/opt/fastbert/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    FASTBERT_CACHE=off \
    HF_HUB_OFFLINE=1 \
    HF_HUB_DISABLE_TELEMETRY=1 \
    ORT_DISABLE_TELEMETRY=1

EXPOSE 8080
STOPSIGNAL SIGTERM
ENTRYPOINT ["sagemaker_entry"]
