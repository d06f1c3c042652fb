# One image for every part; the command chooses which: `battlescope api`, `ingest`, `cluster`, `repair`, `maintain`, `migrate`.
FROM python:3.13-slim AS build
WORKDIR /build
COPY requirements/server.txt requirements/build.txt requirements/
# Wheels only, each by its hash: nothing is compiled, and nothing comes in that was not locked.
RUN python -m venv /opt/battlescope \
    && /opt/battlescope/bin/pip install --no-cache-dir --only-binary :all: --require-hashes -r requirements/server.txt \
    && python -m pip install --no-cache-dir --only-binary :all: --require-hashes --target /build/backend -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY layers/common/battlescope layers/common/battlescope
COPY functions functions
COPY local/battlescope_local local/battlescope_local
RUN PYTHONPATH=/build/backend /opt/battlescope/bin/pip install --no-cache-dir --no-deps --no-build-isolation --no-index . \
    && /opt/battlescope/bin/pip uninstall --yes --quiet pip \
    && python -m compileall -q --invalidation-mode unchecked-hash /opt/battlescope

FROM python:3.13-slim
LABEL org.opencontainers.image.title="BattleScope" \
      org.opencontainers.image.description="Reads EVE Online's public killmail feed, finds the battles, and serves them." \
      org.opencontainers.image.licenses="MIT"
# Lines of the log leave as they are written; modules are compiled already, and the root file system is read-only.
ENV PATH=/opt/battlescope/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
COPY --from=build /opt/battlescope /opt/battlescope
# By its number, so that Kubernetes can tell that it is not root.
USER 10001:10001
WORKDIR /tmp
EXPOSE 3000 9090
ENTRYPOINT ["battlescope"]
CMD ["api", "--host", "0.0.0.0", "--port", "3000"]
