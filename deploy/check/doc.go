// Package check reads the files in deploy/ with the code of the programs that use them: Docker Compose's loader,
// BuildKit's, the API server's validation, Grafana's types. It is a module of its own, so that the server does not
// depend on them. Run it with `make check-deploy`.
package check
