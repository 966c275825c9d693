package api

import (
	"context"
	"net/http"
	"strconv"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
)

type editRequest struct {
	Name       patch[string]  `json:"name,omitzero" minLength:"1" maxLength:"200" doc:"What is sold"`
	Price      patch[amount]  `json:"price,omitzero" doc:"Fixed once a unit is held or sold"`
	ImageURL   patch[string]  `json:"image_url,omitzero" nullable:"true" maxLength:"2048" doc:"An http or https address, or a path that starts with /; null: no image"`
	StartTime  patch[instant] `json:"start_time,omitzero" doc:"Fixed once the drop has started, or a unit is held or sold"`
	Limit      patch[whole]   `json:"limit_per_user,omitzero" nullable:"true" minimum:"0" maximum:"1000" doc:"Applies from now on. Users keep what they have beyond it. 0 or null: no limit"`
	Expired    patch[whole]   `json:"max_expired_holds,omitzero" nullable:"true" minimum:"0" maximum:"100" doc:"Counts earlier unpaid holds too. 0 or null: no limit"`
	Waitlist   patch[bool]    `json:"waitlist,omitzero" doc:"false: whoever waits now waits no longer"`
	OfferFor   patch[whole]   `json:"offer_for,omitzero" minimum:"10" maximum:"86400" doc:"Seconds; applies to offers from now on"`
	MaxWaiting patch[whole]   `json:"max_waiting,omitzero" minimum:"1" maximum:"1000000" doc:"Whoever waits keeps the place"`
	Count      patch[bool]    `json:"offers_count,omitzero" doc:"Counts earlier offers too"`
	Hidden     patch[bool]    `json:"hidden,omitzero" doc:"true: not in the list. Anybody who knows the id can still reserve"`
	Archived   patch[bool]    `json:"archived,omitzero" doc:"true: the drop is over, it is not in the list and nobody can reserve"`
}

type restockRequest struct {
	Add  *whole `json:"add" required:"true" nullable:"false" minimum:"-10000000" maximum:"10000000" doc:"Units to add. Negative: unsold units to remove"`
	Size *label `json:"size,omitzero" doc:"Required if the drop has sizes"`
}

type emptyRequest struct{}

func (a *api) editDrop(w http.ResponseWriter, r *http.Request) error {
	id, err := dropOf(w, r)
	if err != nil {
		return err
	}
	var in editRequest
	if err := readBody(w, r, &in); err != nil {
		return err
	}
	cmd, err := a.edit(&in)
	if err != nil {
		return err
	}
	v, err := a.engine.Edit(r.Context(), id, cmd)
	return a.answerDrop(w, v, err)
}

// edit translates null members. The domain checks the values.
func (a *api) edit(in *editRequest) (drop.Edit, error) {
	cmd := drop.Edit{
		Name: in.Name.to, StartTime: (*drop.Time)(in.StartTime.to),
		Hidden: in.Hidden.to, Archived: in.Archived.to, Waitlist: in.Waitlist.to, OffersCount: in.Count.to,
	}
	if in.OfferFor.to != nil {
		cmd.OfferFor = new(int(*in.OfferFor.to))
	}
	if in.MaxWaiting.to != nil {
		cmd.MaxWaiting = new(int(*in.MaxWaiting.to))
	}
	if in.ImageURL.given {
		cmd.ImageURL = new(optional(in.ImageURL.to))
	}
	if in.Limit.given {
		cmd.LimitPerUser = new(int(optional(in.Limit.to)))
	}
	if in.Expired.given {
		cmd.MaxExpiredHolds = new(int(optional(in.Expired.to)))
	}
	for _, f := range []struct {
		name string
		null bool
	}{
		{"name", in.Name.null()},
		{"price", in.Price.null()},
		{"start_time", in.StartTime.null()},
		{"waitlist", in.Waitlist.null()},
		{"offer_for", in.OfferFor.null()},
		{"max_waiting", in.MaxWaiting.null()},
		{"offers_count", in.Count.null()},
		{"hidden", in.Hidden.null()},
		{"archived", in.Archived.null()},
	} {
		if f.null {
			return cmd, drop.Invalid(f.name, "must not be null; leave it out to keep the current value")
		}
	}
	if in.Price.to != nil {
		price, err := a.money("price", *in.Price.to)
		if err != nil {
			return cmd, err
		}
		cmd.Price = &price
	}
	return cmd, nil
}

func (a *api) restock(w http.ResponseWriter, r *http.Request) error {
	id, retry, err := dropAndRetry(w, r)
	if err != nil {
		return err
	}
	var in restockRequest
	if err := readBody(w, r, &in); err != nil {
		return err
	}
	add, err := required("add", in.Add)
	if err != nil {
		return err
	}
	cmd := drop.Restock{Add: int64(add), Size: string(optional(in.Size))}
	if err := drop.CheckLabel("size", cmd.Size); err != nil {
		return err
	}
	v, err := a.engine.Restock(r.Context(), id, cmd, retry)
	return a.answerDrop(w, v, err)
}

func (a *api) pause(w http.ResponseWriter, r *http.Request) error {
	return a.changeDrop(w, r, a.engine.Pause)
}

func (a *api) resume(w http.ResponseWriter, r *http.Request) error {
	return a.changeDrop(w, r, a.engine.Resume)
}

func (a *api) changeDrop(
	w http.ResponseWriter, r *http.Request, do func(context.Context, drop.ID, engine.Retry) (*engine.View, error),
) error {
	id, retry, err := dropAndRetry(w, r)
	if err != nil {
		return err
	}
	if err := readNoBody(w, r); err != nil {
		return err
	}
	v, err := do(r.Context(), id, retry)
	return a.answerDrop(w, v, err)
}

func (a *api) answerDrop(w http.ResponseWriter, v *engine.View, err error) error {
	if err != nil {
		return err
	}
	writeBody(w, http.StatusOK, a.encoded(v))
	return nil
}

// dropAndRetry reads the drop's id and the idempotency key of an operator's call.
func dropAndRetry(w http.ResponseWriter, r *http.Request) (drop.ID, engine.Retry, error) {
	id, err := dropOf(w, r)
	if err != nil {
		return 0, engine.Retry{}, err
	}
	retry, err := readRetry(w, r)
	return id, retry, err
}

func dropOf(w http.ResponseWriter, r *http.Request) (drop.ID, error) {
	n, err := pathNumber(r)
	concerns(w, drop.ID(n))
	return drop.ID(n), err
}

// concerns records for the log which drop the call is about.
func concerns(w http.ResponseWriter, id drop.ID) { w.(*recorder).drop = id }

// made records for the operators' log what a call created or found.
func made(w http.ResponseWriter, what string, id int64) {
	w.(*recorder).made = what + " " + strconv.FormatInt(id, 10)
}
