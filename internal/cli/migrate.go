package cli

import (
	"context"
	"fmt"
)

type migrateCommand struct{ common }

func (c *migrateCommand) run(ctx context.Context, con *console) error {
	s, from, to, err := con.open(ctx, c.Database, c.waiting, c.logger(con.stderr))
	if err != nil {
		return err
	}
	if from == to {
		fmt.Fprintf(con.stdout, "schema: up to date at version %d\n", to)
	} else {
		fmt.Fprintf(con.stdout, "schema: version %d → %d\n", from, to)
	}
	return s.Close()
}
