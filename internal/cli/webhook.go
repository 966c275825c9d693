package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/events"
	"sneakerdrop/internal/events/webhooks"
	"sneakerdrop/internal/store"
)

type webhookCommands struct {
	Create   webhookCreateCommand   `cmd:"" help:"Make a webhook and print its secret. It is shown only once."`
	List     webhookListCommand     `cmd:"" help:"List the webhooks and how deliveries go, without secrets."`
	Attempts webhookAttemptsCommand `cmd:"" help:"List the last attempts to deliver to a webhook."`
	Rotate   webhookRotateCommand   `cmd:"" help:"Give a webhook a new secret and print it. The previous one stays valid for 24 hours."`
	Test     webhookTestCommand     `cmd:"" help:"Send a test message from this machine and print what became of it; exit code 1 if it was not delivered."`
	Replay   webhookReplayCommand   `cmd:"" help:"Send events of a drop to a webhook again."`
	Enable   webhookEnableCommand   `cmd:"" help:"Deliver to a disabled webhook again, from where it was."`
	Disable  webhookDisableCommand  `cmd:"" help:"Deliver nothing more to a webhook until it is enabled."`
	Delete   webhookDeleteCommand   `cmd:"" help:"Delete a webhook."`
}

// privateFlag is shared by serve and the commands that check or call a receiver's address.
type privateFlag struct {
	WebhookAllowPrivate bool `name:"webhook-allow-private" help:"Allow webhooks to use http, and to reach this machine and private networks (default false)."`
}

// oneWebhook has the settings of a command for one webhook.
type oneWebhook struct {
	common
	ID store.WebhookID `arg:"" help:"The webhook's number, as shown by list."`
}

type webhookCreateCommand struct {
	common
	privateFlag
	URL         string     `arg:"" help:"Where to send events: an https address."`
	Type        eventTypes `placeholder:"TYPE" help:"Only events of this type, such as purchase.completed (default all). Repeat it for more, or separate them by commas."`
	Drop        dropIDs    `placeholder:"N" help:"Only events of this drop (default: all drops except those of rehearsals). Repeat it for more, or separate them by commas."`
	Description string     `placeholder:"TEXT" help:"What the receiver is (default none)."`
}

type (
	webhookListCommand     struct{ common }
	webhookAttemptsCommand struct{ oneWebhook }
	webhookRotateCommand   struct{ oneWebhook }
	webhookEnableCommand   struct{ oneWebhook }
	webhookDisableCommand  struct{ oneWebhook }
	webhookDeleteCommand   struct{ oneWebhook }
	webhookTestCommand     struct {
		oneWebhook
		privateFlag
	}
	webhookReplayCommand struct {
		oneWebhook
		Drop drop.ID `required:"" placeholder:"N" help:"The drop whose events are sent again."`
		From int64   `required:"" placeholder:"SEQ" help:"The number (seq) of the first event."`
		To   *int64  `placeholder:"SEQ" help:"The number of the last event (default: that of the newest one)."`
	}
)

// endpointsOf returns the endpoints in a store. Nothing is delivered here except test messages.
func endpointsOf(s store.Store, c *common, con *console, to webhooks.Poster, allowPrivate bool) *webhooks.Endpoints {
	feed := events.New(s, new(polledDrops), "", c.logger(con.stderr))
	return webhooks.NewEndpoints(s, feed, to, allowPrivate)
}

// changeWebhook carries out an action, which the operators' log records.
func changeWebhook(ctx context.Context, con *console, c *common, call, detail string, do func(*webhooks.Endpoints) error) error {
	return changeWebhookBy(ctx, con, c, call, detail, nil, false, do)
}

func changeWebhookBy(
	ctx context.Context, con *console, c *common, call, detail string, to webhooks.Poster, allowPrivate bool, do func(*webhooks.Endpoints) error,
) error {
	return con.withStore(ctx, *c, func(s store.Store) error {
		e := endpointsOf(s, c, con, to, allowPrivate)
		return webhookError(con, c, recorded(ctx, s, "webhook "+call, detail, func() error { return do(e) }))
	})
}

// webhookError names the setting that a refusal is about.
func webhookError(con *console, c *common, err error) error {
	if err == nil {
		return nil
	}
	refusal, ok := errors.AsType[*drop.Error](err)
	switch {
	case !ok:
		return con.databaseError(c.Database, err)
	case refusal.Code == drop.CodeWebhookNotFound:
		return errors.New("there is no webhook with that number; run sneakerdrop webhook list to see all")
	}
	flags := map[string]string{"description": "description", "types": "type", "drops": "drop", "dropId": "drop", "from": "from", "to": "to"}
	if flag := flags[refusal.Field]; flag != "" {
		return &faultError{flag: flag, rule: refusal.Rule}
	}
	return fmt.Errorf("%s %s", refusal.Field, refusal.Rule)
}

func (c *webhookCreateCommand) run(ctx context.Context, con *console) error {
	spec := webhooks.Spec{URL: c.URL, Description: c.Description, Types: c.Type, Drops: c.Drop}
	detail := fmt.Sprintf("%s, types %s, drops %s", c.URL, orAll(join(c.Type)), orAll(join(c.Drop)))
	var made webhooks.Endpoint
	var secret webhooks.Secret
	err := changeWebhookBy(ctx, con, &c.common, "create", detail, nil, c.WebhookAllowPrivate, func(e *webhooks.Endpoints) (err error) {
		made, secret, err = e.Create(ctx, spec)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(con.stderr, "webhook %d to %s; this is the only time that its secret is shown\n", made.ID, made.URL)
	fmt.Fprintln(con.stdout, string(secret))
	return nil
}

// join writes a list as the flags take it.
func join[T any](list []T) string {
	parts := make([]string, len(list))
	for i, v := range list {
		parts[i] = fmt.Sprint(v)
	}
	return strings.Join(parts, ",")
}

func orAll(list string) string {
	if list == "" {
		return "all"
	}
	return list
}

// readWebhooks reads without changing anything.
func readWebhooks[T any](ctx context.Context, con *console, c *common, read func(*webhooks.Endpoints) (T, error)) (found T, err error) {
	s, err := con.openBooks(ctx, c.Database, c.waiting, c.logger(con.stderr))
	if err != nil {
		return found, err
	}
	found, err = read(endpointsOf(s, c, con, nil, false))
	return found, webhookError(con, c, errors.Join(err, s.Close()))
}

func (c *webhookListCommand) run(ctx context.Context, con *console) error {
	all, err := readWebhooks(ctx, con, &c.common, func(e *webhooks.Endpoints) ([]webhooks.Endpoint, error) { return e.List(ctx) })
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(con.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tSTATUS\tURL\tTYPES\tDROPS\tWAITING\tLAST DELIVERY\tDESCRIPTION")
	for i := range all {
		w := &all[i]
		status, last := string(w.Status()), "never"
		if w.Disabled != "" {
			status += " (" + w.Disabled + ")"
		}
		if w.Report.Succeeded != 0 {
			last = w.Report.Succeeded.String()
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", w.ID, status, w.URL, orAll(w.Types), orAll(w.Drops), w.Report.Behind, last, w.Description)
	}
	return table.Flush()
}

func (c *webhookAttemptsCommand) run(ctx context.Context, con *console) error {
	all, err := readWebhooks(ctx, con, &c.common, func(e *webhooks.Endpoints) ([]webhooks.Record, error) { return e.Attempts(ctx, c.ID) })
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(con.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "AT\tEVENT\tTYPE\tATTEMPT\tOUTCOME\tSTATUS\tTOOK\tNEXT ATTEMPT\tERROR")
	for i := range all {
		r := &all[i]
		event, status, next := r.Event, "-", "-"
		if event == "" {
			event = "-"
		}
		if r.Status != 0 {
			status = strconv.Itoa(r.Status)
		}
		if r.Next != 0 {
			next = r.Next.String()
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d\t%s\t%s\t%d ms\t%s\t%s\n", r.At, event, r.Type, r.Try, r.Outcome, status, r.Took, next, r.Error)
	}
	return table.Flush()
}

func (c *webhookRotateCommand) run(ctx context.Context, con *console) error {
	var rotated webhooks.Endpoint
	var secret webhooks.Secret
	err := changeWebhook(ctx, con, &c.common, "rotate", c.detail(), func(e *webhooks.Endpoints) (err error) {
		rotated, secret, err = e.Rotate(ctx, c.ID)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(con.stderr, "webhook %d: the previous secret stays valid until %s; this is the only time that the new one is shown\n", c.ID, rotated.OldUntil)
	fmt.Fprintln(con.stdout, string(secret))
	return nil
}

func (c *oneWebhook) detail() string { return fmt.Sprintf("webhook %d", c.ID) }

func (c *webhookTestCommand) run(ctx context.Context, con *console) error {
	sender := webhooks.NewSender(webhooks.SenderOptions{AllowPrivate: c.WebhookAllowPrivate, UserAgent: "sneakerdrop/" + Version})
	defer sender.Close()
	var record webhooks.Record
	err := changeWebhookBy(ctx, con, &c.common, "test", c.detail(), sender, c.WebhookAllowPrivate, func(e *webhooks.Endpoints) (err error) {
		record, err = e.Test(ctx, c.ID)
		return err
	})
	switch {
	case err != nil:
		return err
	case record.Outcome != webhooks.Delivered:
		return fmt.Errorf("the test message was not delivered: %s", record.Error)
	}
	fmt.Fprintf(con.stdout, "webhook %d: the receiver answered %d within %s\n", c.ID, record.Status, time.Duration(record.Took)*time.Millisecond)
	return nil
}

func (c *webhookReplayCommand) run(ctx context.Context, con *console) error {
	if c.To != nil && *c.To < 1 {
		return &faultError{flag: "to", rule: fmt.Sprintf("must be the number of an event, from 1, not %d", *c.To)}
	}
	last, detail := int64(0), fmt.Sprintf("%s, drop %d, events from %d", c.detail(), c.Drop, c.From)
	if c.To != nil {
		last = *c.To
		detail += fmt.Sprintf(" to %d", last)
	}
	var added store.Replay
	err := changeWebhook(ctx, con, &c.common, "replay", detail, func(e *webhooks.Endpoints) (err error) {
		added, err = e.Replay(ctx, c.ID, c.Drop, c.From, last)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(con.stdout, "webhook %d: events %d to %d of drop %d will be sent again\n", c.ID, added.First, added.Last, added.Drop)
	return nil
}

func (c *webhookEnableCommand) run(ctx context.Context, con *console) error {
	return c.change(ctx, con, "enable", "enabled", (*webhooks.Endpoints).Enable)
}

func (c *webhookDisableCommand) run(ctx context.Context, con *console) error {
	return c.change(ctx, con, "disable", "disabled", (*webhooks.Endpoints).Disable)
}

func (c *webhookDeleteCommand) run(ctx context.Context, con *console) error {
	return c.change(ctx, con, "delete", "deleted", (*webhooks.Endpoints).Delete)
}

func (c *oneWebhook) change(
	ctx context.Context, con *console, call, done string, do func(*webhooks.Endpoints, context.Context, store.WebhookID) (webhooks.Endpoint, error),
) error {
	var w webhooks.Endpoint
	err := changeWebhook(ctx, con, &c.common, call, c.detail(), func(e *webhooks.Endpoints) (err error) {
		w, err = do(e, ctx, c.ID)
		return err
	})
	if err == nil {
		fmt.Fprintf(con.stdout, "webhook %d to %s is %s\n", w.ID, w.URL, done)
	}
	return err
}
