# A server for bundles, without torch.    docker build -f deploy/serving.Dockerfile -t fastbert-serving .
#
# An image with its model:                FROM fastbert-serving
#                                         COPY model/ /model/
# Nothing is written but metrics of several --workers, in /tmp: run it with a read-only root and a tmpfs there.
# A package index of your own:            docker build --secret id=pip,src=pip.conf ...

ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
WORKDIR /source
COPY pyproject.toml README.md LICENSE constraints.txt ./
COPY src/ src/
COPY deploy/install.sh deploy/versions.txt deploy/
RUN --mount=type=secret,id=pip,target=/etc/pip.conf deploy/install.sh /opt/fastbert serve

FROM ${BASE}
ARG VERSION=0
LABEL org.opencontainers.image.title="FastBert server" \
      org.opencontainers.image.description="Answers for text over HTTP from a bundle of FastBert, with ONNX Runtime" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"

# The base image has no bytecode of the standard library, and whoever serves may not write it: each start would compile.
# pip goes, too: what is in here stays as it is.
RUN python -m compileall -qq --invalidation-mode unchecked-hash \
      -x '/(test|tests|idlelib|lib2to3|tkinter|turtledemo|ensurepip|pydoc_data|site-packages)/' \
      "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')" \
    && python -m pip uninstall --yes --quiet --root-user-action=ignore setuptools wheel pip \
    && groupadd --gid 10001 fastbert \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin fastbert
COPY --from=build /opt/fastbert /opt/fastbert

# FASTBERT_CACHE: which export is the fastest is remembered by host name, which is another one in each container.
ENV PATH=/opt/fastbert/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    FASTBERT_CACHE=off \
    HF_HUB_OFFLINE=1 \
    HF_HUB_DISABLE_TELEMETRY=1 \
    ORT_DISABLE_TELEMETRY=1

# By number, so that an orchestrator sees that it is not root.
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import http.client, sys; asked = http.client.HTTPConnection('127.0.0.1', 8080, timeout=4); asked.request('GET', '/health/ready'); sys.exit(asked.getresponse().status != 200)"]
ENTRYPOINT ["fastbert", "serve"]
CMD ["/model", "--host", "0.0.0.0"]
