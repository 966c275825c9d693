// Package events tells a shop's other systems what happened to its drops. It makes events of the rows that a sale
// writes anyway: the ledger, reservations, purchases, and revisions of settings. Nothing else is stored, and reading
// changes nothing.
//
// The events of one drop are numbered from 1 without gaps, in the order in which they happened. The number of an event
// never changes, so a reader that has seen all numbers has missed nothing. Between drops there is no order.
//
// All methods of Feed are safe for concurrent use.
package events

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// Type is a kind of event. Types are sent to clients and stored; do not change them.
type Type string

// The types of events.
const (
	DropCreated       Type = "drop.created"
	DropUpdated       Type = "drop.updated"
	DropSoldOut       Type = "drop.sold_out"
	DropBackInStock   Type = "drop.back_in_stock"
	HoldCreated       Type = "hold.created"
	HoldExpired       Type = "hold.expired"
	HoldCancelled     Type = "hold.cancelled"
	PurchaseCompleted Type = "purchase.completed"
	PurchaseReturned  Type = "purchase.returned"
	PurchaseRefunded  Type = "purchase.refunded"
	// WaitlistOffered begins the hold of a buyer from the waitlist, or of one who won a draw, in place of HoldCreated.
	// The other two end it.
	WaitlistOffered       Type = "waitlist.offered"
	WaitlistOfferExpired  Type = "waitlist.offer_expired"
	WaitlistOfferDeclined Type = "waitlist.offer_declined"
)

// Types are all types, in the order of a drop's life.
var Types = []Type{
	DropCreated, DropUpdated, HoldCreated, HoldExpired, HoldCancelled, WaitlistOffered, WaitlistOfferExpired, WaitlistOfferDeclined,
	PurchaseCompleted, PurchaseReturned, PurchaseRefunded, DropSoldOut, DropBackInStock,
}

// TypeNames returns the names of all types, in the same order.
func TypeNames() []string {
	names := make([]string, len(Types))
	for i, t := range Types {
		names[i] = string(t)
	}
	return names
}

// Known reports whether there are events of that type.
func (t Type) Known() bool { return slices.Contains(Types, t) }

// sale reports whether events of that type are about a purchase.
func (t Type) sale() bool {
	return t == PurchaseCompleted || t == PurchaseReturned || t == PurchaseRefunded
}

// Movement reports whether events of that type only say how the stock moves. If several wait together for a webhook,
// the newest is enough.
func (t Type) Movement() bool {
	switch t {
	case HoldCreated, HoldExpired, HoldCancelled, DropSoldOut, DropBackInStock:
		return true
	default:
		return false
	}
}

// Event is one fact about a drop.
type Event struct {
	Drop drop.ID
	// Seq numbers the events of the drop, from 1 without gaps.
	Seq  int64
	Type Type
	At   drop.Time
	// Version is the drop's version after the batch that made the event. It is 0 for events of before the server
	// recorded it.
	Version int64
	// After is the position behind the event.
	After Position
	// Skipped is how many earlier movements were left out in favor of this one; see Filter.Newest.
	Skipped int

	data any
}

// ID identifies the event: the numbers of its drop and of the event within it.
func (e *Event) ID() string {
	return strconv.FormatInt(int64(e.Drop), 10) + "-" + strconv.FormatInt(e.Seq, 10)
}

// JSON encodes the event for the feed.
func (e *Event) JSON() []byte { return encode(e.sent()) }

// Message encodes the event for webhooks: as for the feed, with the names that Standard Webhooks recommends, and with
// how many movements were left out.
func (e *Event) Message() []byte {
	return encode(struct {
		sentEvent
		Timestamp moment `json:"timestamp"`
		Skipped   int    `json:"skipped,omitempty"`
	}{e.sent(), moment(e.At), e.Skipped})
}

// encode does not escape HTML: each <, > and & would take six bytes, and a long drop more than a webhook's body may
// have.
func encode(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // plain structs
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// moment is a time as the API sends it.
type moment drop.Time

// MarshalText implements encoding.TextMarshaler.
func (t moment) MarshalText() ([]byte, error) { return drop.Time(t).AppendFormat(nil), nil }

type sentEvent struct {
	ID      string  `json:"id"`
	Type    Type    `json:"type"`
	At      moment  `json:"at"`
	Drop    drop.ID `json:"dropId"`
	Seq     int64   `json:"seq"`
	Version int64   `json:"version"`
	Data    any     `json:"data"`
}

func (e *Event) sent() sentEvent {
	return sentEvent{e.ID(), e.Type, moment(e.At), e.Drop, e.Seq, e.Version, e.data}
}

// What events say of their subject. docs/reference/events.md describes each field.
type (
	// HoldData is the data of events of holds, and of those of offers, which are holds too.
	HoldData struct {
		Reservation drop.ReservationID `json:"reservationId"`
		User        drop.UserID        `json:"userId"`
		Size        *string            `json:"size"`
		Expires     moment             `json:"expires_at"`
		Offer       bool               `json:"offer,omitempty"`
	}
	// PurchaseData is the data of purchase.completed and purchase.refunded.
	PurchaseData struct {
		Purchase    drop.PurchaseID    `json:"purchaseId"`
		Reservation drop.ReservationID `json:"reservationId"`
		User        drop.UserID        `json:"userId"`
		Username    string             `json:"username"`
		Email       *string            `json:"email"`
		Size        *string            `json:"size"`
		Price       json.Number        `json:"price"`
		Currency    string             `json:"currency"`
		Payment     *PaymentData       `json:"payment,omitempty"` // nil: the buyer did not pay here
	}
	// PaymentData is what the payment of a purchase is when the event is read. Refunds change it.
	PaymentData struct {
		Number   *string     `json:"number"` // the provider's, for people
		Amount   json.Number `json:"amount"`
		Currency string      `json:"currency"`
		Status   string      `json:"status"`
		Refunded json.Number `json:"refunded"`
	}
	// ReturnData is the data of purchase.returned.
	ReturnData struct {
		PurchaseData
		Returned string `json:"returned"` // restocked or written_off
	}
	// SettingsData is the data of drop.created, and of drop.updated after a change of settings.
	SettingsData struct {
		Changed         []drop.Change `json:"changed,omitempty"`
		Name            string        `json:"name"`
		Price           json.Number   `json:"price"`
		Currency        string        `json:"currency"`
		StartTime       moment        `json:"start_time"`
		ImageURL        *string       `json:"image_url"`
		LimitPerUser    *int          `json:"limit_per_user"`
		MaxExpiredHolds *int          `json:"max_expired_holds"`
		Waitlist        bool          `json:"waitlist,omitempty"`
		*LineData
		Draw       *DrawData  `json:"draw,omitempty"`
		Paused     bool       `json:"paused"`
		Hidden     bool       `json:"hidden"`
		Archived   bool       `json:"archived"`
		TotalStock *int64     `json:"total_stock,omitempty"`
		Sizes      []SizeData `json:"sizes,omitempty"`
	}
	// LineData are the settings of a waitlist.
	LineData struct {
		OfferFor    int  `json:"offer_for"` // seconds
		MaxWaiting  int  `json:"max_waiting"`
		OffersCount bool `json:"offers_count"`
	}
	// DrawData are the terms of a draw, which never change.
	DrawData struct {
		Opens      moment `json:"opens"`
		Closes     moment `json:"closes"`
		PayWithin  int    `json:"pay_within"` // seconds
		Commitment string `json:"seed_commitment"`
		Beacon     string `json:"beacon,omitempty"`
		Round      int64  `json:"round,omitempty"`
	}
	// StoredDropData is the data of drop.created of a drop that was created before the server recorded settings.
	StoredDropData struct {
		TotalStock int64      `json:"total_stock"`
		Sizes      []SizeData `json:"sizes,omitempty"`
	}
	// SizeData is a size of a drop that was created.
	SizeData struct {
		Size  string `json:"size"`
		Stock int64  `json:"stock"`
	}
	// StockData is the data of drop.sold_out, drop.back_in_stock, and drop.updated after a restock.
	StockData struct {
		Changed   []drop.Change `json:"changed,omitempty"`
		Size      *string       `json:"size,omitempty"`
		Add       int64         `json:"add,omitempty"`
		Available int64         `json:"available_stock"`
	}
)

// ChangedStock is the change that a restock makes. It is not a setting.
const ChangedStock drop.Change = "stock"

func holdData(r *drop.Reservation) *HoldData {
	return &HoldData{Reservation: r.ID, User: r.UserID, Size: unlessEmpty(r.Size), Expires: moment(r.ExpiresAt), Offer: r.Offer}
}

func purchaseData(s *store.Sale, p *drop.Payment, currency string) *PurchaseData {
	return &PurchaseData{
		Purchase: s.ID, Reservation: s.ReservationID, User: s.UserID, Username: s.Username, Email: unlessEmpty(s.Email),
		Size: unlessEmpty(s.Size), Price: json.Number(s.Price.String()), Currency: currency,
		Payment: paymentData(p),
	}
}

func paymentData(p *drop.Payment) *PaymentData {
	if p == nil {
		return nil
	}
	return &PaymentData{
		Number: unlessEmpty(p.Shown()), Amount: json.Number(p.Amount.String()), Currency: p.Currency, Status: p.State,
		Refunded: json.Number(p.Refunded.String()),
	}
}

func returnData(s *store.Sale, p *drop.Payment, currency string) *ReturnData {
	return &ReturnData{PurchaseData: *purchaseData(s, p, currency), Returned: s.Return.String()}
}

func settingsData(s *drop.Settings, changed []drop.Change, currency string) *SettingsData {
	data := &SettingsData{
		Changed: changed, Name: s.Name, Price: json.Number(s.Price.String()), Currency: currency, StartTime: moment(s.StartTime),
		ImageURL: unlessEmpty(s.ImageURL), LimitPerUser: unlessEmpty(s.LimitPerUser), MaxExpiredHolds: unlessEmpty(s.MaxExpiredHolds),
		Paused: s.Paused, Hidden: s.Hidden, Archived: s.Archived,
	}
	if s.Waitlist {
		data.Waitlist, data.LineData = true, &LineData{s.OfferFor, s.MaxWaiting, s.OffersCount}
	}
	if d := &s.Draw; s.HasDraw() {
		data.Draw = &DrawData{moment(d.Opens), moment(d.Closes), d.PayWithin, d.Commitment.String(), d.Chain, d.Round}
	}
	return data
}

func unlessEmpty[T comparable](v T) *T {
	var empty T
	if v == empty {
		return nil
	}
	return &v
}
