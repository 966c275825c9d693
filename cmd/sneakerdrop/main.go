// Sneakerdrop is a server for limited sneaker releases. Package cli has its commands.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"sneakerdrop/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(cli.Run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}
