// Package check reads what deploy/ ships with the tools that will read it: Docker Compose's loader, BuildKit's
// linter, the API server's validation, and Grafana's types. It is a module of its own, so that the server does not
// depend on these tools. Run it by `make check-deploy`.
package check
