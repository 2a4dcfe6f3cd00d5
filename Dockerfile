# syntax=docker/dockerfile:1
# leadroute in an image that holds one static binary and what it reads: certificates and time zones.
# There is no embedded ClickHouse in it (that engine wants a C library): give it --brokers and --clickhouse.
ARG GO_VERSION=1.26
ARG BUSYBOX_VERSION=1.37

FROM busybox:${BUSYBOX_VERSION}-musl AS busybox

FROM golang:${GO_VERSION} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o /out/leadroute ./cmd/leadroute \
 && mkdir -p /out/data /out/tmp \
 && cp "$(go env GOROOT)/lib/time/zoneinfo.zip" /out/zoneinfo.zip

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
# Policies speak of time zones; Go reads them from here.
COPY --from=build /out/zoneinfo.zip /usr/share/zoneinfo.zip
ENV ZONEINFO=/usr/share/zoneinfo.zip
# The one helper, for health checks: busybox answers to the name that it is called by.
COPY --from=busybox /bin/busybox /bin/wget
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build --chown=65532:65532 /out/tmp /tmp
COPY --from=build /out/leadroute /bin/leadroute
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["/bin/leadroute"]
CMD ["help"]
