package drawing

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"sneakerdrop/internal/draw"
)

// What a beacon's answer may take.
const (
	beaconTime  = 5 * time.Second
	beaconBytes = 16 << 10
)

// ask asks the beacon for a round, and verifies the answer. Errors do not contain BeaconURL, which can have a password.
func (d *Desk) ask(ctx context.Context, b *draw.Beacon) error {
	ctx, cancel := context.WithTimeout(ctx, beaconTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(d.BeaconURL, "/")+b.URL, nil)
	if err != nil {
		return errors.New("the URL of the beacon cannot be read")
	}
	answer, err := d.Client.Do(r)
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(answer.Body, beaconBytes+1))
	switch {
	case err != nil:
		return fmt.Errorf("read the answer: %w", err)
	case answer.StatusCode != http.StatusOK:
		return fmt.Errorf("the answer has status %d", answer.StatusCode)
	case len(text) > beaconBytes:
		return fmt.Errorf("the answer has more than %d bytes", beaconBytes)
	}
	var told struct {
		Signature         draw.Hex `json:"signature"`
		PreviousSignature draw.Hex `json:"previous_signature"`
	}
	if json.Unmarshal(text, &told) != nil {
		return errors.New("the answer is no round")
	}
	b.Signature, b.Randomness = told.Signature, sha256.Sum256(told.Signature)
	if b.PreviousSignature = told.PreviousSignature; b.Scheme == draw.SchemeUnchained {
		b.PreviousSignature = nil
	}
	return b.Verify()
}
