# Every command of FastBert, with torch.    docker build -f deploy/training.Dockerfile -t fastbert-training .
#
#   docker run --rm --user "$(id -u):$(id -g)" -v "$PWD:/data" fastbert-training train reviews.csv --out model
#
# torch comes from where pip looks. A build without CUDA is far smaller: name an index that has it,
#   docker build --build-arg TORCH_INDEX=... -f deploy/training.Dockerfile -t fastbert-training .
# and, for a package index of your own, --secret id=pip,src=pip.conf.

ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
ARG TORCH_INDEX=""
WORKDIR /source
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY src/ src/
COPY deploy/install.sh deploy/versions.txt deploy/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf deploy/install.sh /opt/fastbert train,minilm,onnx

FROM ${BASE}
ARG VERSION=0
LABEL org.opencontainers.image.title="FastBert" \
      org.opencontainers.image.description="Trains, tunes, explains and exports BERT-type encoders on a table of text" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"

RUN python -m pip uninstall --yes --quiet --root-user-action=ignore setuptools wheel pip \
    && groupadd --gid 10001 fastbert \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin fastbert
COPY --from=build /opt/fastbert /opt/fastbert

# HOME: caches of several packages, for whichever user it is run as.
ENV PATH=/opt/fastbert/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HF_HUB_DISABLE_TELEMETRY=1 \
    ORT_DISABLE_TELEMETRY=1

WORKDIR /data
USER 10001:10001
STOPSIGNAL SIGTERM
ENTRYPOINT ["fastbert"]
CMD ["--help"]
