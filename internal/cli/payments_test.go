package cli

import (
	"log/slog"
	"strings"
	"testing"
)

// Sample drops are sold for nothing only where nobody else can buy, and where nobody has chosen otherwise.
func TestPayments_OfSampleDropsAreADemoOnThisMachine(t *testing.T) {
	for args, want := range map[string]payments{
		"serve":                                         "",
		"serve --demo":                                  payDemo,
		"serve --demo --addr=127.0.0.1:0":               payDemo,
		"serve --demo --payments=none":                  payNothing,
		"serve --demo --payments=stripe":                payStripe,
		"serve --demo --addr=0.0.0.0:0 --insecure":      "",
		"serve --demo --nats=nats://localhost:4222":     "",
		"serve --payments=demo --addr=localhost:0":      payDemo,
		"serve --payments=demo --addr=:0 --insecure":    payDemo, // refused, or allowed by --insecure-payments
		"serve --payments=demo --nats=nats://localhost": payDemo, // refused
	} {
		var c commands
		said(t, &c, "", nil, strings.Fields(args)...)
		c.Serve.demoPays()
		if got := c.Serve.Payments; got != want {
			t.Errorf("%s: buyers pay with %q, want %q", args, got, want)
		}
		faulty := strings.HasPrefix(args, "serve --payments=demo") && !strings.Contains(args, "localhost:0")
		if err := c.Serve.checkDemo(); (err != nil) != faulty {
			t.Errorf("%s: %v", args, err)
		}
	}
	var c commands
	said(t, &c, "", nil, "serve", "--payments=demo", "--addr=:0", "--insecure", "--insecure-payments")
	if err := c.Serve.checkDemo(); err != nil {
		t.Errorf("it is allowed explicitly: %v", err)
	}
}

// PORT of a platform means every address. Without sign-in the server keeps to this machine, so the demo may go on.
func TestPayments_ADemoOnAPlatformStaysOnThisMachine(t *testing.T) {
	var c commands
	con, _ := said(t, &c, "", []string{"PORT=8080"}, "serve", "--demo")
	c.Serve.keepLocal(con.settings, slog.New(slog.DiscardHandler))
	c.Serve.demoPays()
	if err := c.Serve.checkDemo(); c.Serve.Payments != payDemo || err != nil {
		t.Errorf("buyers pay with %q, %v", c.Serve.Payments, err)
	}
}

func TestSecret_IsInNoText(t *testing.T) {
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("set", "key", secret("sk_test_hunter2"))
	if strings.Contains(log.String(), "hunter2") {
		t.Error(log.String())
	}
	for _, c := range []struct {
		text secret
		want string
	}{{"", ""}, {"a", "a"}, {" a , b\n\nc\r\n", "a b c"}, {",\n", ""}} {
		if got := strings.Join(c.text.all(), " "); got != c.want {
			t.Errorf("%q has %q, want %q", string(c.text), got, c.want)
		}
	}
}
