package drop

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
)

// Servers of other versions read the answers kept under a key, so these answers have a format of their own
// (docs/FORMATS.md, "Kept answers"). The first byte tells which encoding follows: keptReservation for a reservation
// alone, or a brace for JSON with the names below.
const keptReservation = 1

type (
	keptAnswer struct {
		Reservation keptReserved `json:"reservation,omitzero"`
		Purchase    keptPurchase `json:"purchase,omitzero"`
		Drop        *keptDrop    `json:"drop,omitempty"`
		Recent      []keptRecent `json:"recent,omitempty"`
		User        keptUser     `json:"user,omitzero"`
		Entry       *keptEntry   `json:"entry,omitempty"`
		DrawEntry   *keptDraw    `json:"draw_entry,omitempty"`
		Position    int64        `json:"position,omitempty"`
	}
	keptReserved struct {
		ID        ReservationID `json:"ID"`
		UserID    UserID        `json:"UserID"`
		Size      string        `json:"Size"`
		Status    Status        `json:"Status"`
		CreatedAt Time          `json:"CreatedAt"`
		ExpiresAt Time          `json:"ExpiresAt"`
		EndedAt   Time          `json:"EndedAt"`
		Payment   PaymentID     `json:"Payment,omitempty"`
		Claim     ReservationID `json:"Claim,omitempty"`
		Offer     bool          `json:"Offer,omitempty"`
		Pass      PassID        `json:"Pass,omitempty"`
	}
	keptEntry struct {
		ID        EntryID       `json:"ID"`
		UserID    UserID        `json:"UserID"`
		Line      int           `json:"Line"`
		Size      string        `json:"Size"`
		Status    EntryStatus   `json:"Status"`
		CreatedAt Time          `json:"CreatedAt"`
		EndedAt   Time          `json:"EndedAt"`
		Offer     ReservationID `json:"Offer,omitempty"`
		Why       Code          `json:"Why,omitempty"`
	}
	keptDraw struct {
		ID          EntryID `json:"ID"`
		UserID      UserID  `json:"UserID"`
		Sizes       Ranking `json:"Sizes"`
		CreatedAt   Time    `json:"CreatedAt"`
		WithdrawnAt Time    `json:"WithdrawnAt,omitempty"`
		Removed     string  `json:"Removed,omitempty"`
		Pass        PassID  `json:"Pass,omitempty"`
	}
	keptPurchase struct {
		ID            PurchaseID    `json:"ID"`
		ReservationID ReservationID `json:"ReservationID"`
		UserID        UserID        `json:"UserID"`
		Size          string        `json:"Size"`
		Price         Money         `json:"Price"`
		CreatedAt     Time          `json:"CreatedAt"`
		Return        Return        `json:"Return,omitempty"`
		ReturnedAt    Time          `json:"ReturnedAt,omitempty"`
	}
	keptDrop struct {
		ID              ID         `json:"ID"`
		Name            string     `json:"Name"`
		Price           Money      `json:"Price"`
		StartTime       Time       `json:"StartTime"`
		ImageURL        string     `json:"ImageURL"`
		Sizes           []keptSize `json:"Sizes"`
		LimitPerUser    int        `json:"LimitPerUser"`
		MaxExpiredHolds int        `json:"MaxExpiredHolds"`
		Waitlist        bool       `json:"Waitlist,omitempty"`
		OfferFor        int        `json:"OfferFor,omitempty"`
		MaxWaiting      int        `json:"MaxWaiting,omitempty"`
		OffersCount     bool       `json:"OffersCount,omitempty"`
		Draw            string     `json:"Draw,omitempty"`
		DrawPhase       DrawPhase  `json:"DrawPhase,omitempty"`
		Entered         uint32     `json:"Entered,omitempty"`
		Lined           uint32     `json:"Lined,omitempty"`
		Access          string     `json:"Access,omitempty"`
		Paused          bool       `json:"Paused"`
		Hidden          bool       `json:"Hidden"`
		Archived        bool       `json:"Archived"`
		Version         int64      `json:"Version"`
		CreatedAt       Time       `json:"CreatedAt"`
	}
	keptSize struct {
		Label   string    `json:"Label"`
		Stock   keptStock `json:"Stock"`
		Waiting int64     `json:"Waiting,omitempty"`
		Pending int64     `json:"Pending,omitempty"`
	}
	keptStock struct {
		Total     int64 `json:"Total"`
		Available int64 `json:"Available"`
		Held      int64 `json:"Held"`
		Sold      int64 `json:"Sold"`
	}
	keptRecent struct {
		ID         PurchaseID `json:"ID"`
		Username   string     `json:"Username"`
		PublicName string     `json:"PublicName,omitempty"`
		CreatedAt  Time       `json:"CreatedAt"`
	}
	keptUser struct {
		ID         UserID `json:"ID"`
		Username   string `json:"Username"`
		Email      string `json:"Email"`
		PublicName string `json:"PublicName,omitempty"`
	}
)

// Encode returns the stored form of a result. A lone reservation, by far the most common answer, takes about 25
// bytes; everything else is JSON. Size matters: the rows of keys are most of what a batch writes.
func (r *Result) Encode() []byte {
	alone := r.Drop == nil && r.Recent == nil && r.Purchase == (Purchase{}) && r.User == (User{}) && r.Entry == nil && r.DrawEntry == nil && r.Err == nil
	if alone && r.Reservation.ID != 0 && r.Reservation.Payment == 0 && r.Reservation.Claim == 0 && !r.Reservation.Offer && r.Reservation.Pass == 0 {
		return r.Reservation.appendTo(make([]byte, 0, 48))
	}
	k := keptAnswer{
		Reservation: keptReserved(r.Reservation), Purchase: keptPurchase(r.Purchase), Drop: keepDrop(r.Drop), User: keptUser(r.User),
		Entry: (*keptEntry)(r.Entry), DrawEntry: (*keptDraw)(r.DrawEntry), Position: r.Position,
	}
	for _, one := range r.Recent {
		k.Recent = append(k.Recent, keptRecent(one))
	}
	b, err := json.Marshal(&k)
	if err != nil {
		panic(err) // cannot happen: plain structs without cycles or foreign types
	}
	return b
}

// DecodeResult reads what Encode wrote. An error means that the row is damaged.
func DecodeResult(b []byte) (Result, error) {
	if len(b) > 0 && b[0] == keptReservation {
		reservation, err := unpackReservation(b[1:])
		return Result{Reservation: reservation}, err
	}
	var k keptAnswer
	if err := json.Unmarshal(b, &k); err != nil {
		return Result{}, fmt.Errorf("decode a kept answer: %w", err)
	}
	r := Result{
		Reservation: Reservation(k.Reservation), Purchase: Purchase(k.Purchase), User: User(k.User), Entry: (*Entry)(k.Entry),
		DrawEntry: (*DrawEntry)(k.DrawEntry), Position: k.Position,
	}
	var err error
	if r.Drop, err = k.Drop.drop(); err != nil {
		return Result{}, fmt.Errorf("decode a kept answer: %w", err)
	}
	for _, one := range k.Recent {
		r.Recent = append(r.Recent, Recent(one))
	}
	return r, nil
}

func keepDrop(d *Drop) *keptDrop {
	if d == nil {
		return nil
	}
	k := &keptDrop{
		ID: d.ID, Name: d.Name, Price: d.Price, StartTime: d.StartTime, ImageURL: d.ImageURL, LimitPerUser: d.LimitPerUser,
		MaxExpiredHolds: d.MaxExpiredHolds, Waitlist: d.Waitlist, OfferFor: d.OfferFor, MaxWaiting: d.MaxWaiting, OffersCount: d.OffersCount,
		Draw: d.Draw.Encode(), DrawPhase: d.DrawState.Phase, Entered: d.DrawState.Entered, Lined: d.DrawState.Lined,
		Access: EncodeAccesses(d.Accesses),
		Paused: d.Paused, Hidden: d.Hidden, Archived: d.Archived, Version: d.Version, CreatedAt: d.CreatedAt,
	}
	for _, s := range d.Sizes {
		k.Sizes = append(k.Sizes, keptSize{Label: s.Label, Stock: keptStock(s.Stock), Waiting: s.Waiting, Pending: s.Pending})
	}
	return k
}

func (k *keptDrop) drop() (*Drop, error) {
	if k == nil {
		return nil, nil //nolint:nilnil // no drop was kept
	}
	terms, err := DecodeDraw(k.Draw)
	if err != nil {
		return nil, err
	}
	accesses, err := DecodeAccesses(k.Access)
	if err != nil {
		return nil, err
	}
	d := &Drop{
		ID:        k.ID,
		Version:   k.Version,
		CreatedAt: k.CreatedAt,
		Settings: Settings{
			Name: k.Name, Price: k.Price, StartTime: k.StartTime, ImageURL: k.ImageURL, LimitPerUser: k.LimitPerUser,
			MaxExpiredHolds: k.MaxExpiredHolds, Waitlist: k.Waitlist, OfferFor: k.OfferFor, MaxWaiting: k.MaxWaiting, OffersCount: k.OffersCount,
			Draw: terms, Paused: k.Paused, Hidden: k.Hidden, Archived: k.Archived,
		},
		DrawState: DrawState{Phase: k.DrawPhase, Entered: k.Entered, Lined: k.Lined},
		Accesses:  accesses,
	}
	for _, s := range k.Sizes {
		d.Sizes = append(d.Sizes, Size{Label: s.Label, Stock: Stock(s.Stock), Waiting: s.Waiting, Pending: s.Pending})
	}
	return d, nil
}

// appendTo appends the reservation as variable-length integers (encoding/binary), followed by its size. Times are
// relative to the first one.
func (r *Reservation) appendTo(b []byte) []byte {
	b = append(b, keptReservation)
	ended := int64(0) // not yet
	if r.EndedAt != 0 {
		ended = int64(r.EndedAt-r.CreatedAt) + 1
	}
	for _, n := range [...]int64{int64(r.ID), int64(r.UserID), int64(r.Status), int64(r.CreatedAt), int64(r.ExpiresAt - r.CreatedAt), ended} {
		b = binary.AppendVarint(b, n)
	}
	return append(b, r.Size...)
}

func unpackReservation(b []byte) (Reservation, error) {
	var n [6]int64
	for i := range n {
		v, size := binary.Varint(b)
		if size <= 0 {
			return Reservation{}, errors.New("decode a kept answer: it is cut off")
		}
		n[i], b = v, b[size:]
	}
	r := Reservation{
		ID: ReservationID(n[0]), UserID: UserID(n[1]), Status: Status(n[2]), CreatedAt: Time(n[3]), ExpiresAt: Time(n[3] + n[4]), Size: string(b),
	}
	if n[5] != 0 {
		r.EndedAt = Time(n[3] + n[5] - 1)
	}
	return r, nil
}
