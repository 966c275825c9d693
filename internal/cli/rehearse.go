package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/rehearse"
)

type rehearseCommand struct {
	URL         string  `name:"url" default:"http://localhost:3000" placeholder:"URL" help:"The running server."`
	Drop        drop.ID `required:"" placeholder:"N" help:"The drop to rehearse. A hidden copy is used; the drop itself does not change."`
	Buyers      int     `default:"1000" help:"How many buyers come, from 1 to 20000 (default 1000)."`
	Token       string  `placeholder:"TOKEN" help:"An operator's token, if the server requires one."`
	JWTSecret   string  `name:"jwt-secret-file" placeholder:"FILE" help:"Sign buyers' tokens with this secret, which the server must also use, if buyers sign in."`
	JWTAudience string  `name:"jwt-audience" placeholder:"NAME" help:"The aud of these tokens."`
	MaxP99      wait    `name:"max-p99" default:"2s" help:"Fail if 1 of 100 reserves takes longer than this, from 1s to 1h."`
	Seed        uint64  `placeholder:"N" help:"The seed that decides how each buyer acts; a result names its own (default random)."`
	JSON        bool    `name:"json" help:"Print the result as one JSON object (default false)."`
}

// failedRehearsalError ends a rehearsal that failed.
type failedRehearsalError struct{ first string }

func (e *failedRehearsalError) Error() string { return "the rehearsal failed: " + e.first }

func (c *rehearseCommand) run(ctx context.Context, con *console) error {
	if c.Buyers < 1 || c.Buyers > rehearse.MaxBuyers {
		return &faultError{flag: "buyers", rule: fmt.Sprintf("must be from 1 to %d, not %d", rehearse.MaxBuyers, c.Buyers)}
	}
	r := rehearse.Config{
		URL: c.URL, Token: c.Token, Drop: c.Drop, Buyers: c.Buyers, MaxP99: time.Duration(c.MaxP99), Seed: c.Seed,
		Progress: func(p rehearse.Progress) {
			if !c.JSON {
				fmt.Fprintf(con.stderr, "%3.0f s  %-22s %7d reserved  %7d sold  %8d refused  %4d errors\n",
					p.Elapsed.Seconds(), p.Phase, p.Reserved, p.Sold, p.Refused, p.Errors)
			}
		},
	}
	var err error
	if r.Buyer, err = signer(c.JWTSecret, c.JWTAudience); err != nil {
		return err
	}
	result, err := rehearse.Run(ctx, r)
	if live, ok := errors.AsType[*rehearse.LiveError](err); ok {
		return fmt.Errorf("no rehearsal is possible now: %w", live)
	}
	if drop.CodeOf(err) == drop.CodeDropNotFound {
		return &faultError{flag: "drop", rule: fmt.Sprintf("names drop %d, but %s has no such drop", c.Drop, c.URL)}
	}
	if err != nil {
		return err
	}
	if err = con.print(result, c.JSON); err == nil && !result.Pass {
		err = &failedRehearsalError{result.Faults[0]}
	}
	return err
}
