package identity

import (
	"context"
	"log/slog"
)

func newRemote(context.Context, Config, *slog.Logger) (fixed, error) {
	return fixed{&keySet{}}, nil
}
