# The image has the one static binary, the certificates of public authorities and nothing else: no shell, no package, no root.
#   docker build -t sneakerdrop .
#   docker run -e SNEAKERDROP_JWT_SECRET=… -e SNEAKERDROP_DATABASE=postgres://… -p 3000:3000 sneakerdrop
# docs/howto/deploy.md says what of it was tried.
FROM --platform=$BUILDPLATFORM golang:1.26.8 AS build
ARG TARGETOS
ARG TARGETARCH
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN GOOS=$TARGETOS GOARCH=$TARGETARCH make build
# What scratch lacks: a name for the user, and a folder that is the user's.
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
# Every address, port 3000: a platform's own PORT and HOST take the place of both. Unless buyers sign in (see docs/howto/sign-in.md) the
# container serves itself alone, and says so in its log.
ENV HOST=0.0.0.0
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["/sneakerdrop", "health"]
ENTRYPOINT ["/sneakerdrop"]
CMD ["serve"]
