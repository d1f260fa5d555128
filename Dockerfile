# Holdpoint over HTTP, without root, on a file system that may be read-only. docs/container.md says how to run it.
#
#   docker build -t holdpoint .
#
# A registry of your own, or an authority that must be trusted while building: --build-arg NODE_IMAGE=…, and the secrets
# `npmrc` and `ca` (PEM), which leave no trace in the image.
ARG NODE_IMAGE=docker.io/library/node:24.11.0-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /source
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
RUN --mount=type=secret,id=npmrc,target=/root/.npmrc --mount=type=secret,id=ca,target=/run/secrets/ca \
    if [ -f /run/secrets/ca ]; then export NODE_EXTRA_CA_CERTS=/run/secrets/ca; fi; \
    npx -y pnpm@12 install --frozen-lockfile --ignore-scripts
COPY . .
RUN node scripts/build.ts && mkdir -p /image/app /image/state && mkdir -m 0700 /image/state/holdpoint && \
    cp -r dist policies personas skills package.json README.md /image/app/ && \
    mkdir -p /image/app/fixtures && cp -r fixtures/workspace /image/app/fixtures/

FROM ${NODE_IMAGE}
COPY --from=build /image/app /app
COPY --from=build --chown=65532:65532 /image/state /var/lib
ENV NODE_ENV=production \
    HOME=/var/lib/holdpoint \
    HOLDPOINT_HTTP=0.0.0.0:7117 \
    HOLDPOINT_WORKSPACE=/workspace \
    HOLDPOINT_STATE=/var/lib/holdpoint/state \
    HOLDPOINT_KEYS=/var/lib/holdpoint/keys
USER 65532:65532
WORKDIR /workspace
VOLUME /var/lib/holdpoint
EXPOSE 7117
HEALTHCHECK --interval=15s --timeout=3s --start-period=5s \
    CMD ["node", "-e", "fetch('http://127.0.0.1:7117/ready').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["serve"]
