package webhooks

import (
	"crypto/rand"
	"encoding/base64"
	"log/slog"
)

// Secret is what an endpoint's messages are signed with, in the form of Standard Webhooks: whsec_ and base64 of the
// key. It never appears in logs.
type Secret string

const (
	secretPrefix = "whsec_"
	secretBytes  = 32 // the specification allows 24 to 64
)

// NewSecret returns a random secret.
func NewSecret() Secret {
	key := make([]byte, secretBytes)
	_, _ = rand.Read(key) // crypto/rand.Read never returns an error
	return Secret(secretPrefix + base64.StdEncoding.EncodeToString(key))
}

// String hides the secret.
func (Secret) String() string { return secretPrefix + "…" }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
