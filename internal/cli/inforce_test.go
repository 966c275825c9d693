package cli

import (
	"strings"
	"testing"

	"sneakerdrop/internal/api"
)

// Operators see each setting as it can be given, and where it was taken from; nothing that is secret.
func TestInForce_SaysWhereSettingsComeFromAndNoSecrets(t *testing.T) {
	const secret, password = "0123456789abcdef0123456789abcdef", "hunter2-of-nats"
	const stripeKey, checkoutSecret = "sk_test_hunter2", "whsec_hunter2"
	var c commands
	con, _ := said(t, &c, "SNEAKERDROP_SHOP_NAME=Lantern\nSNEAKERDROP_KEEP_ALIVE=90m\n", []string{
		"SNEAKERDROP_JWT_SECRET=" + secret, "DATABASE_URL=postgres://ann:" + password + "@db.example:5433/shop?sslmode=disable",
		"SNEAKERDROP_NATS=nats://bus:" + password + "@one.example:4222,nats://" + password + "@two.example:4222", "SNEAKERDROP_CURRENCY=JPY",
		"SNEAKERDROP_LOG_LEVEL=warn", "SNEAKERDROP_ADDRESS_LIMITS=buy=20/40,read=100/200", "SNEAKERDROP_HSTS=30d",
		"SNEAKERDROP_STRIPE_KEY=" + stripeKey, "SNEAKERDROP_STRIPE_WEBHOOK_SECRET=" + checkoutSecret, "SNEAKERDROP_CHECKOUT_SECRET=" + checkoutSecret,
		"SNEAKERDROP_PAY_WITHIN=15m",
	}, "serve", "--hold", "90s", "--addr", "127.0.0.1:0", "--insecure", "--cors-origin", "https://a.example", "--cors-origin=https://b.example", "--jwt-audience=shop")
	settings := con.inForce()
	found := make(map[string]api.Setting)
	for _, s := range settings {
		found[s.Name] = s
		if strings.Contains(s.Value, secret) || strings.Contains(s.Value, "hunter2") {
			t.Errorf("--%s shows a secret: %s", s.Name, s.Value)
		}
		if s.Help == "" || s.Source == "" {
			t.Errorf("--%s: %+v", s.Name, s)
		}
	}
	for name, want := range map[string]api.Setting{
		"hold":                        {Value: "90s", Source: api.FromFlag},
		"addr":                        {Value: "127.0.0.1:0", Source: api.FromFlag},
		"insecure":                    {Value: "true", Source: api.FromFlag},
		"demo":                        {Value: "", Source: api.FromDefault},
		"cors-origin":                 {Value: "https://a.example,https://b.example", Source: api.FromFlag},
		"jwt-audience":                {Value: "shop", Source: api.FromFlag},
		"jwt-secret":                  {Value: "set", Source: api.FromEnvironment, From: "SNEAKERDROP_JWT_SECRET", Secret: true},
		"jwt-secret-file":             {Value: "", Source: api.FromDefault},
		"database":                    {Value: "postgres://db.example:5433/shop", Source: api.FromEnvironment, From: "DATABASE_URL"},
		"nats":                        {Value: "nats://one.example:4222,nats://two.example:4222", Source: api.FromEnvironment, From: "SNEAKERDROP_NATS"},
		"currency":                    {Value: "JPY", Source: api.FromEnvironment, From: "SNEAKERDROP_CURRENCY"},
		"log-level":                   {Value: "warn", Source: api.FromEnvironment, From: "SNEAKERDROP_LOG_LEVEL"},
		"address-limits":              {Value: "buy=20/40,read=100/200", Source: api.FromEnvironment, From: "SNEAKERDROP_ADDRESS_LIMITS"},
		"buyer-limits":                {Value: "off", Source: api.FromDefault},
		"hsts":                        {Value: "30d", Source: api.FromEnvironment, From: "SNEAKERDROP_HSTS"},
		"shop-name":                   {Value: "Lantern", Source: api.FromFile, From: "SNEAKERDROP_SHOP_NAME in .env"},
		"keep-alive":                  {Value: "90m", Source: api.FromFile, From: "SNEAKERDROP_KEEP_ALIVE in .env"},
		"max-batch":                   {Value: "500", Source: api.FromDefault},
		"max-connections-per-address": {Value: "", Source: api.FromDefault},
		"metrics-addr":                {Value: "", Source: api.FromDefault},
		"payments":                    {Value: "", Source: api.FromDefault},
		"pay-within":                  {Value: "15m", Source: api.FromEnvironment, From: "SNEAKERDROP_PAY_WITHIN"},
		"stripe-key":                  {Value: "set", Source: api.FromEnvironment, From: "SNEAKERDROP_STRIPE_KEY", Secret: true},
		"stripe-webhook-secret":       {Value: "set", Source: api.FromEnvironment, From: "SNEAKERDROP_STRIPE_WEBHOOK_SECRET", Secret: true},
		"checkout-secret":             {Value: "set", Source: api.FromEnvironment, From: "SNEAKERDROP_CHECKOUT_SECRET", Secret: true},
		"drain":                       {Value: "0s", Source: api.FromDefault},
	} {
		got := found[name]
		got.Help, got.Name = "", ""
		if got != want {
			t.Errorf("--%s: %+v, want %+v", name, got, want)
		}
	}
	if found["help"].Name != "" || len(settings) < 40 {
		t.Errorf("%d settings", len(settings))
	}
}
