// Package check reads what deploy/ ships with the tools that will read it: Docker Compose's loader, BuildKit's, the
// API server's validation, Grafana's types. They are a module of their own, so that the server does not depend on
// them. Run it by `make check-deploy`.
package check
