package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/user"
	"strings"
	"text/tabwriter"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/shop"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/text"
)

type tokenCommands struct {
	Create tokenCreateCommand `cmd:"" help:"Make a token for an operator and print it. It is shown only once."`
	List   tokenListCommand   `cmd:"" help:"List the tokens, without their secrets."`
	Revoke tokenRevokeCommand `cmd:"" help:"Revoke a token, which is invalid from then on."`
}

type tokenCreateCommand struct {
	common
	Role    operator.Role `required:"" placeholder:"ROLE" help:"operator may do everything that operators do, viewer may only read."`
	Name    string        `required:"" placeholder:"NAME" help:"Who gets it. The operators' log shows this name, such as \"Ann's laptop\"."`
	Expires life          `default:"90d" placeholder:"TIME" help:"How long it is valid: for example 12h, 90d (default) or never."`
}

type tokenListCommand struct{ common }

type tokenRevokeCommand struct {
	common
	ID operator.TokenID `arg:"" help:"The token's number, as shown by list."`
}

type logCommand struct {
	common
	Limit int  `default:"50" help:"How many of the newest entries to show (1 to 100000)."`
	JSON  bool `name:"json" help:"Print one JSON object per line instead of a table (default false)."`
}

func parseRole(s string) (operator.Role, error) {
	if r := operator.Role(s); r == operator.Operator || r == operator.Viewer {
		return r, nil
	}
	return "", fmt.Errorf("must be operator or viewer, not %q", s)
}

func (c *tokenCreateCommand) run(ctx context.Context, con *console) error {
	t := operator.Token{Name: c.Name, Role: c.Role}
	if normal, fault := text.Name(c.Name); fault == "" {
		t.Name = normal
	}
	if err := t.Check(); err != nil {
		if refusal, ok := errors.AsType[*drop.Error](err); ok {
			return &faultError{flag: refusal.Field, rule: refusal.Rule}
		}
		return err
	}
	ends := "never"
	if c.Expires != 0 {
		t.ExpiresAt = drop.TimeOf(time.Now().Add(time.Duration(c.Expires)))
		ends = t.ExpiresAt.String()
	}
	return con.withStore(ctx, c.common, func(s store.Store) error {
		secret, hash := operator.Mint()
		var made operator.Token
		err := recorded(ctx, s, "token create", fmt.Sprintf("%s for %s, expires %s", t.Role, t.Name, ends), func() (err error) {
			made, err = s.CreateToken(ctx, t, hash)
			return err
		})
		if err != nil {
			return con.databaseError(c.Database, err)
		}
		fmt.Fprintf(con.stderr, "token %d: %s for %s, expires %s; this is the only time that it is shown\n", made.ID, made.Role, made.Name, ends)
		fmt.Fprintln(con.stdout, secret)
		return nil
	})
}

func (c *tokenListCommand) run(ctx context.Context, con *console) error {
	s, err := con.openBooks(ctx, c.Database, c.waiting, c.logger(con.stderr))
	if err != nil {
		return err
	}
	tokens, err := s.Tokens(ctx)
	if err = errors.Join(err, s.Close()); err != nil {
		return con.databaseError(c.Database, err)
	}
	now := drop.TimeOf(time.Now())
	table := tabwriter.NewWriter(con.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tNAME\tROLE\tCREATED\tEXPIRES\tSTATE")
	for i := range tokens {
		t := &tokens[i]
		ends, state := "never", "good"
		if t.ExpiresAt != 0 {
			ends = t.ExpiresAt.String()
		}
		switch {
		case t.Revoked():
			state = "revoked " + t.RevokedAt.String()
		case t.ExpiredAt(now):
			state = "expired"
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\n", t.ID, t.Name, t.Role, t.CreatedAt, ends, state)
	}
	return table.Flush()
}

func (c *tokenRevokeCommand) run(ctx context.Context, con *console) error {
	return con.withStore(ctx, c.common, func(s store.Store) error {
		var t operator.Token
		err := recorded(ctx, s, "token revoke", fmt.Sprintf("token %d", c.ID), func() (err error) {
			t, err = s.RevokeToken(ctx, c.ID)
			return err
		})
		if drop.CodeOf(err) == drop.CodeTokenNotFound {
			return fmt.Errorf("there is no token %d; run sneakerdrop token list to see all", c.ID)
		}
		if err != nil {
			return con.databaseError(c.Database, err)
		}
		fmt.Fprintf(con.stdout, "token %d of %s was revoked at %s\n", t.ID, t.Name, t.RevokedAt)
		return nil
	})
}

func (c *logCommand) run(ctx context.Context, con *console) error {
	if c.Limit < 1 || c.Limit > 100_000 {
		return &faultError{flag: "limit", rule: fmt.Sprintf("must be from 1 to 100000, not %d", c.Limit)}
	}
	s, err := con.openBooks(ctx, c.Database, c.waiting, c.logger(con.stderr))
	if err != nil {
		return err
	}
	actions, err := s.Actions(ctx, 0, c.Limit)
	if err = errors.Join(err, s.Close()); err != nil {
		return con.databaseError(c.Database, err)
	}
	if c.JSON {
		return c.printJSON(con, actions)
	}
	table := tabwriter.NewWriter(con.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tAT\tTOKEN\tNAME\tCALL\tDROP\tOUTCOME\tFROM\tDETAIL")
	for i := range actions {
		a := &actions[i]
		about, outcome := "", a.Outcome
		if a.Drop != 0 {
			about = fmt.Sprint(a.Drop)
		}
		if outcome == "" {
			outcome = "unknown"
		}
		fmt.Fprintf(table, "%d\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", a.ID, a.At, a.Token, a.Name, a.Call, about, outcome, a.From, shownDetail(a.Detail))
	}
	return table.Flush()
}

// shownDetail truncates a row of the table to a readable size, and says so.
func shownDetail(detail string) string {
	const most = 2000
	if len(detail) <= most {
		return detail
	}
	head := strings.ToValidUTF8(detail[:most], "")
	return fmt.Sprintf("%s… (%d bytes more: --json)", head, len(detail)-len(head))
}

func (c *logCommand) printJSON(con *console, actions []operator.Action) error {
	out := json.NewEncoder(con.stdout)
	for i := range actions {
		a := &actions[i]
		if err := out.Encode(struct {
			ID      operator.ActionID `json:"id"`
			At      string            `json:"at"`
			Token   operator.TokenID  `json:"token"`
			Name    string            `json:"name"`
			Role    operator.Role     `json:"role"`
			Call    string            `json:"call"`
			Drop    drop.ID           `json:"dropId,omitempty"`
			Detail  string            `json:"detail"`
			From    string            `json:"from"`
			Request string            `json:"request"`
			Outcome string            `json:"outcome"`
		}{a.ID, a.At.String(), a.Token, a.Name, a.Role, a.Call, a.Drop, a.Detail, a.From, a.Request, a.Outcome}); err != nil {
			return err
		}
	}
	return nil
}

// withStore opens the database for a small write, if necessary while a server uses it.
func (con *console) withStore(ctx context.Context, c common, do func(store.Store) error) error {
	s, err := con.openBeside(ctx, c.Database, c.waiting, c.logger(con.stderr))
	if err != nil {
		return err
	}
	return errors.Join(do(s), s.Close())
}

// recorded carries out an action of the command line, between two entries of the operators' log.
func recorded(ctx context.Context, s store.Store, call, detail string, do func() error) error {
	who := "unknown"
	if u, err := user.Current(); err == nil {
		who = u.Username
	}
	var lost error
	err := shop.Recorded(ctx, s, operator.Action{
		Name: who, Role: operator.Operator, Call: call, Detail: operator.Detail([]byte(detail)), From: "command line",
	}, func() (outcome string, err error) {
		switch err = do(); {
		case err == nil:
			return "ok", nil
		case drop.CodeOf(err) != "":
			return string(drop.CodeOf(err)), err
		default:
			return "failed", err
		}
	}, func(_ operator.ActionID, err error) { lost = err })
	return errors.Join(err, lost)
}
