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
	ctx, stop := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		signal.Stop(signals) // first: a second signal ends the process at once
		stop()
	}()
	os.Exit(cli.Run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}
