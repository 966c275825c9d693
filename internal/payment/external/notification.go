package external

import (
	"net/http"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"sneakerdrop/internal/payment"
)

// notification is the body of a call of the shop.
type notification struct {
	Payment string        `json:"payment"`
	State   payment.State `json:"state"`
}

// Read checks a notification that the shop signed within 5 minutes of now. It is payment.ErrMalformed if it has more
// than 64 KiB, or is not what the protocol says.
func (p *Provider) Read(header http.Header, body []byte, now time.Time) (payment.Notice, error) {
	if len(body) > maxBody {
		return payment.Notice{}, payment.ErrMalformed
	}
	if err := p.keys.check(header, body, now); err != nil {
		return payment.Notice{}, err
	}
	id := header.Get(standardwebhooks.HeaderWebhookID)
	var n notification
	if err := decode(body, &n); err != nil || len(id) > maxWord {
		return payment.Notice{}, payment.ErrMalformed
	}
	known, err := idOf(n.Payment)
	if err != nil || !isState(n.State) {
		return payment.Notice{}, payment.ErrMalformed
	}
	return payment.Notice{
		ID: id, Type: string(n.State), Refs: []payment.Ref{{ID: known, Number: n.Payment}},
	}, nil
}

func isState(s payment.State) bool {
	switch s {
	case payment.Open, payment.Pending, payment.Authorised, payment.Captured, payment.Voided, payment.Failed:
		return true
	default:
		return false
	}
}
