package histories

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"sneakerdrop/internal/drop"
)

// call is one request and its outcome, as its client saw it.
type call struct {
	kind            kind
	drop            drop.ID
	client, replica int
	cmd             drop.Command // the command, without its key
	key             string       // its Idempotency-Key, "" for none
	family          bool         // it stands for several calls under one key, one of which took effect
	spec            *drop.Spec   // of a creation
	limit           int          // the drop's, in a reserve
	rows            *rows        // the final content of the store, in a call of kind books
	entered         uint32       // how many entries the draw seems to have from the start, in a creation

	began, ended time.Duration // since the history began
	from, to     drop.Time     // the same, by the clock that stores use too
	answer       answer
}

type kind int

const (
	command kind = iota
	creation
	reading // GET of the drop
	books   // the final content of the store
)

// answer is what a client was told.
type answer struct {
	// text is the answer without a drop's version. The model words answers in the same way.
	text string
	// unknown: the call may have taken effect, may do so later, or never.
	unknown bool
	// nothing: the server says that the call has had no effect and will have none, because there was no time for it.
	nothing bool
	// refused is the code of a refusal.
	refused drop.Code
	// at is the time of the reservation, purchase or return in the answer.
	at      drop.Time
	id      int64
	version int64
	// position is the place in a line that a waiting buyer was told, 0 if none.
	position int64
	raw      string
	both     bool         // it shows a unit on sale while somebody waits for one
	result   *drop.Result // of a step of a payment
}

func (c *call) String() string {
	what := fmt.Sprintf("%T%+v", c.cmd, c.cmd)
	switch c.kind {
	case command:
	case creation:
		what = "create"
	case reading:
		what = "GET"
	case books:
		what = "books"
	}
	what = strings.TrimPrefix(what, "drop.")
	if c.key != "" {
		what += " key=" + c.key
	}
	told := c.answer.text
	switch {
	case c.answer.unknown:
		told = "? " + c.answer.raw
	case c.answer.nothing:
		told = "nothing was done"
	case c.answer.version != 0:
		told = fmt.Sprintf("v%d %s", c.answer.version, told)
	}
	return fmt.Sprintf("%s at %d → %s", what, c.replica, told)
}

// request returns how the call is sent.
func (c *call) request() (method, path string, body any) {
	const base = "/api/drops"
	switch cmd := c.cmd.(type) {
	case drop.Reserve:
		body := map[string]any{"dropId": c.drop, "userId": cmd.User}
		if cmd.Size != "" {
			body["size"] = cmd.Size
		}
		return http.MethodPost, base + "/reserve", body
	case drop.MakePurchase:
		return http.MethodPost, base + "/purchase", map[string]any{"reservationId": cmd.Reservation}
	case drop.Cancel:
		return http.MethodPost, base + "/cancel", map[string]any{"reservationId": cmd.Reservation}
	case drop.ReturnPurchase:
		return http.MethodPost, fmt.Sprintf("/api/purchases/%d/return", cmd.Purchase), map[string]any{"restock": cmd.Restock}
	case drop.Restock:
		body := map[string]any{"add": cmd.Add}
		if cmd.Size != "" {
			body["size"] = cmd.Size
		}
		return http.MethodPost, fmt.Sprintf("%s/%d/restock", base, c.drop), body
	case drop.Join, drop.Leave, drop.Enter, drop.Withdraw:
		return c.waitRequest()
	case drop.Pause:
		return http.MethodPost, fmt.Sprintf("%s/%d/pause", base, c.drop), map[string]any{}
	case drop.Resume:
		return http.MethodPost, fmt.Sprintf("%s/%d/resume", base, c.drop), map[string]any{}
	}
	if c.kind == creation {
		return http.MethodPost, base + "/create", creationBody(c.spec)
	}
	return http.MethodGet, fmt.Sprintf("%s/%d", base, c.drop), nil
}

func creationBody(spec *drop.Spec) map[string]any {
	body := map[string]any{
		"name": spec.Name, "price": json.Number(spec.Price.String()), "start_time": spec.StartTime.String(), "limit_per_user": spec.LimitPerUser,
	}
	if spec.TotalStock != nil {
		body["total_stock"] = *spec.TotalStock
	}
	if spec.Waitlist {
		body["waitlist"] = true
	}
	if spec.Draw.Closes != 0 {
		body["draw"] = map[string]any{"opens": spec.Draw.Opens.String(), "closes": spec.Draw.Closes.String()}
	}
	var sizes []map[string]any
	for _, s := range spec.Sizes {
		sizes = append(sizes, map[string]any{"size": s.Label, "stock": s.Stock})
	}
	if sizes != nil {
		body["sizes"] = sizes
	}
	return body
}

// The bodies on the wire, as far as the model can predict them.
type (
	reservationJSON struct {
		ID        drop.ReservationID `json:"id"`
		DropID    drop.ID            `json:"dropId"`
		UserID    drop.UserID        `json:"userId"`
		Status    string             `json:"status"`
		ExpiresAt string             `json:"expires_at"`
		CreatedAt string             `json:"createdAt"`
		Size      string             `json:"size"`
		Offer     bool               `json:"offer"`
	}
	purchaseJSON struct {
		ID            drop.PurchaseID    `json:"id"`
		DropID        drop.ID            `json:"dropId"`
		UserID        drop.UserID        `json:"userId"`
		ReservationID drop.ReservationID `json:"reservationId"`
		Price         json.Number        `json:"price"`
		Size          string             `json:"size"`
		CreatedAt     string             `json:"createdAt"`
		Returned      string             `json:"returned"`
		ReturnedAt    string             `json:"returnedAt"`
	}
	dropJSON struct {
		ID        drop.ID `json:"id"`
		Total     int64   `json:"total_stock"`
		Available int64   `json:"available_stock"`
		Paused    bool    `json:"paused"`
		Waiting   int64   `json:"waiting"`
		Draw      struct {
			Entered uint32 `json:"entered"`
		} `json:"draw"`
		Sizes     []sizeJSON   `json:"sizes"`
		Purchases []recentJSON `json:"purchases"`
	}
	sizeJSON struct {
		Size      string `json:"size"`
		Total     int64  `json:"total_stock"`
		Available int64  `json:"available_stock"`
		Waiting   int64  `json:"waiting"`
	}
	recentJSON struct {
		ID        drop.PurchaseID `json:"id"`
		Username  string          `json:"username"`
		CreatedAt string          `json:"createdAt"`
	}
	refusalJSON struct {
		Code      drop.Code `json:"code"`
		Limit     int       `json:"limit"`
		Used      int       `json:"used"`
		Available int64     `json:"available"`
		Waiting   int64     `json:"waiting"`
	}
)

// textOf words a result like an answer. It leaves Recent out if a view need not have it.
func textOf(r *drop.Result, recent bool) string {
	switch {
	case r.Err != nil:
		return fmt.Sprintf("%+v", refusalJSON{r.Err.Code, r.Err.Limit, r.Err.Used, r.Err.Available, r.Err.Waiting})
	case r.Drop != nil:
		return dropText(r.Drop, r.Recent, recent)
	case r.Entry != nil:
		return entryText(r.Entry)
	case r.DrawEntry != nil:
		return drawText(r.DrawEntry)
	case r.Purchase.ID != 0:
		p := &r.Purchase
		j := purchaseJSON{
			ID: p.ID, DropID: p.ReservationID.Drop(), UserID: p.UserID, ReservationID: p.ReservationID, Price: json.Number(p.Price.String()),
			Size: p.Size, CreatedAt: p.CreatedAt.String(),
		}
		if p.Return != drop.NotReturned {
			j.Returned, j.ReturnedAt = p.Return.String(), p.ReturnedAt.String()
		}
		return fmt.Sprintf("%+v", j)
	default:
		v := &r.Reservation
		return fmt.Sprintf("%+v", reservationJSON{
			v.ID, v.ID.Drop(), v.UserID, v.Status.String(), v.ExpiresAt.String(), v.CreatedAt.String(), v.Size, v.Offer,
		})
	}
}

func dropText(d *drop.Drop, newest []drop.Recent, recent bool) string {
	stock := d.Stock()
	j := dropJSON{ID: d.ID, Total: stock.Total, Available: stock.Available, Paused: d.Paused, Waiting: d.Waiting()}
	j.Draw.Entered = d.DrawState.Entered
	if d.Sized() {
		for _, s := range d.Sizes {
			j.Sizes = append(j.Sizes, sizeJSON{s.Label, s.Stock.Total, s.Stock.Available, s.Waiting})
		}
	}
	for _, r := range newest {
		j.Purchases = append(j.Purchases, recentJSON{r.ID, r.Username, r.CreatedAt.String()})
	}
	return j.text(recent)
}

func (j dropJSON) text(recent bool) string {
	if !recent {
		j.Purchases = nil
	}
	return fmt.Sprintf("%+v", j)
}

// read interprets an answer's status and body.
func (c *call) read(status int, body []byte, recent bool) (answer, error) {
	a := answer{raw: fmt.Sprintf("%d %.120s", status, body)}
	if status != http.StatusOK {
		var e refusalJSON
		if err := json.Unmarshal(body, &e); err != nil {
			return a, fmt.Errorf("%s: %w", a.raw, err)
		}
		switch e.Code {
		case "unavailable", "overloaded":
			a.nothing = true
		case "outcome_unknown", "internal":
			a.unknown = true
		default:
			a.refused, a.text = e.Code, fmt.Sprintf("%+v", e)
		}
		return a, nil
	}
	return a, c.understand(&a, body, recent)
}

func (c *call) understand(a *answer, body []byte, recent bool) error {
	switch c.cmd.(type) {
	case drop.Join, drop.Leave, drop.Enter, drop.Withdraw:
		return c.understandWait(a, body)
	case drop.Reserve, drop.Cancel:
		var r reservationJSON
		if err := json.Unmarshal(body, &r); err != nil {
			return fmt.Errorf("%s: %w", a.raw, err)
		}
		a.id, a.text = int64(r.ID), fmt.Sprintf("%+v", r)
		return a.tells(r.CreatedAt)
	case drop.MakePurchase:
		var p struct{ Purchase purchaseJSON }
		if err := json.Unmarshal(body, &p); err != nil {
			return fmt.Errorf("%s: %w", a.raw, err)
		}
		a.id, a.text = int64(p.Purchase.ID), fmt.Sprintf("%+v", p.Purchase)
		return a.tells(p.Purchase.CreatedAt)
	case drop.ReturnPurchase:
		var p purchaseJSON
		if err := json.Unmarshal(body, &p); err != nil {
			return fmt.Errorf("%s: %w", a.raw, err)
		}
		a.id, a.text = int64(p.ID), fmt.Sprintf("%+v", p)
		return a.tells(p.ReturnedAt)
	default:
		var d struct {
			dropJSON
			Version int64 `json:"version"`
		}
		if err := json.Unmarshal(body, &d); err != nil {
			return fmt.Errorf("%s: %w", a.raw, err)
		}
		if len(d.Purchases) == 0 {
			d.Purchases = nil
		}
		a.id, a.version, a.text = int64(d.ID), d.Version, d.text(recent)
		a.both = d.both()
		return nil
	}
}

func (a *answer) tells(at string) error {
	t, err := time.Parse(time.RFC3339, at)
	a.at = drop.TimeOf(t)
	return err
}
