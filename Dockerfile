# The image has the static binary and the certificates of public authorities: no shell, no package, no root.
#   docker build -t sneakerdrop .
#   docker run -e SNEAKERDROP_JWT_SECRET=… -e SNEAKERDROP_DATABASE=postgres://… -p 3000:3000 sneakerdrop
# docs/howto/deploy.md says what was tried.
FROM --platform=$BUILDPLATFORM golang:1.26.8 AS build
ARG TARGETOS
ARG TARGETARCH
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN GOOS=$TARGETOS GOARCH=$TARGETARCH make build
# scratch has no name for the user, and no folder of that user.
RUN mkdir -p /image/etc /image/data \
	&& echo 'sneakerdrop:x:65532:65532::/data:/sneakerdrop' >/image/etc/passwd \
	&& chown 65532:65532 /image/data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /image/ /
COPY --from=build /src/bin/sneakerdrop /
# By number, so that Kubernetes can tell that it is not root.
USER 65532:65532
WORKDIR /data
# Every address, port 3000, unless a platform sets PORT and HOST. Without sign-in (docs/howto/sign-in.md) the container
# serves itself only, and its log says so.
ENV HOST=0.0.0.0
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/sneakerdrop", "health"]
ENTRYPOINT ["/sneakerdrop"]
CMD ["serve"]
