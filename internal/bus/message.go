package bus

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
)

// format is the version of the messages. Increase it if a field's meaning changes or a field is removed. Adding a
// field does not need a new version, because programs ignore fields that they do not know.
const format = 1

var (
	// errForeign: the message is from another version of the program.
	errForeign = errors.New("a message in another format")
	// errInvalid: this program never sends such a message.
	errInvalid = errors.New("not a message")
)

// state is the current state of a drop.
type state struct {
	Format  int      `json:"format"`
	ID      int64    `json:"id"`
	Version int64    `json:"version"`
	Name    string   `json:"name"`
	Price   int64    `json:"price"`
	Start   int64    `json:"start"`
	Image   string   `json:"image,omitempty"`
	Limit   int      `json:"limit,omitempty"`
	Expired int      `json:"expired,omitempty"`
	Made    int64    `json:"made"`
	Flags   flags    `json:"flags,omitzero"`
	Line    line     `json:"line,omitzero"`  // unknown to older programs, as are sizes' waiting and pending
	Draw    *lottery `json:"draw,omitempty"` // unknown to older programs
	// Access is as drop.EncodeAccesses writes it. It is unknown to older programs.
	Access json.RawMessage `json:"access,omitempty"`
	Sizes  []size          `json:"sizes"`
	Sold   uint32          `json:"sold"`   // the number of the newest purchase
	Listed uint32          `json:"listed"` // the number of the newest purchase that recent was made with
	Recent []recent        `json:"recent,omitempty"`
	Moved  *movement       `json:"moved,omitempty"`
	Bought *purchase       `json:"bought,omitempty"`
}

type flags struct {
	Paused   bool `json:"paused,omitempty"`
	Hidden   bool `json:"hidden,omitempty"`
	Archived bool `json:"archived,omitempty"`
}

// line is the settings of a waitlist.
type line struct {
	Open   bool `json:"open,omitempty"`
	Offer  int  `json:"offer,omitempty"` // seconds. 0: drop.DefaultOfferFor
	Most   int  `json:"most,omitempty"`  // 0: drop.DefaultMaxWaiting
	Counts bool `json:"counts,omitempty"`
}

// lottery is the terms of a draw, and how far it has come.
type lottery struct {
	Terms   json.RawMessage `json:"terms"` // as drop.Draw.Encode writes them
	Phase   int8            `json:"phase,omitempty"`
	Entered uint32          `json:"entered,omitempty"`
	Lined   uint32          `json:"lined,omitempty"`
}

type size struct {
	Label     string `json:"label,omitempty"`
	Total     int64  `json:"total"`
	Available int64  `json:"available"`
	Held      int64  `json:"held"`
	Sold      int64  `json:"sold"`
	Waiting   int64  `json:"waiting,omitempty"`
	Pending   int64  `json:"pending,omitempty"`
}

type recent struct {
	ID     int64  `json:"id"`
	Name   string `json:"name"`
	Public string `json:"public,omitempty"` // unknown to older programs, which show less
	At     int64  `json:"at"`
}

// movement is the newest ledger entry that changed the available or the total stock. Its reason is the one that
// watchers are told: older programs refuse a message with a reason that they do not know.
type movement struct {
	Seq       int64  `json:"seq"`
	At        int64  `json:"at"`
	Size      string `json:"size,omitempty"`
	Reason    string `json:"reason"`
	Units     int64  `json:"units"`
	Available int64  `json:"available"`
}

// owned is news for single buyers.
type owned struct {
	Format       int           `json:"format"`
	Reservations []reservation `json:"reservations,omitempty"`
	Purchases    []purchase    `json:"purchases,omitempty"`
}

type reservation struct {
	ID      int64  `json:"id"`
	User    int64  `json:"user"`
	Size    string `json:"size,omitempty"`
	Status  int8   `json:"status"`
	At      int64  `json:"at"`
	Expires int64  `json:"expires"`
	Ended   int64  `json:"ended,omitempty"`
	Offer   bool   `json:"offer,omitempty"`
}

type purchase struct {
	ID          int64  `json:"id"`
	Reservation int64  `json:"reservation"`
	User        int64  `json:"user"`
	Size        string `json:"size,omitempty"`
	Price       int64  `json:"price"`
	At          int64  `json:"at"`
}

// encodeState encodes a drop's state, the last movement of its stock and, if known, its last purchase.
func encodeState(v *engine.View, moved *drop.LedgerEntry, bought *drop.Purchase) ([]byte, error) {
	d := &v.Drop
	m := state{
		Format: format, ID: int64(d.ID), Version: d.Version, Name: d.Name, Price: int64(d.Price), Start: int64(d.StartTime),
		Image: d.ImageURL, Limit: d.LimitPerUser, Expired: d.MaxExpiredHolds, Made: int64(d.CreatedAt),
		Flags: flags{d.Paused, d.Hidden, d.Archived}, Line: line{Open: d.Waitlist, Counts: d.OffersCount}, Sizes: make([]size, len(d.Sizes)), Recent: make([]recent, len(v.Recent)),
	}
	if d.OfferFor != drop.DefaultOfferFor {
		m.Line.Offer = d.OfferFor
	}
	if d.MaxWaiting != drop.DefaultMaxWaiting {
		m.Line.Most = d.MaxWaiting
	}
	if d.HasDraw() {
		m.Draw = &lottery{json.RawMessage(d.Draw.Encode()), int8(d.DrawState.Phase), d.DrawState.Entered, d.DrawState.Lined}
	}
	if len(d.Accesses) > 0 {
		m.Access = json.RawMessage(drop.EncodeAccesses(d.Accesses))
	}
	for i, s := range d.Sizes {
		m.Sizes[i] = size{s.Label, s.Stock.Total, s.Stock.Available, s.Stock.Held, s.Stock.Sold, s.Waiting, s.Pending}
	}
	for i, r := range v.Recent {
		m.Recent[i] = recent{int64(r.ID), r.Username, r.PublicName, int64(r.CreatedAt)}
	}
	m.Sold, m.Listed = v.Purchased()
	if e := moved; e != nil {
		m.Moved = &movement{int64(e.Seq), int64(e.At), e.Size, string(e.Reason.Shown()), e.Units, e.Available}
	}
	if bought != nil {
		p := said(bought)
		m.Bought = &p
	}
	return json.Marshal(&m)
}

func said(p *drop.Purchase) purchase {
	return purchase{int64(p.ID), int64(p.ReservationID), int64(p.UserID), p.Size, int64(p.Price), int64(p.CreatedAt)}
}

// encodeOwned encodes the state of reservations, and purchases.
func encodeOwned(reservations []drop.Reservation, purchases []drop.Purchase) ([]byte, error) {
	m := owned{Format: format}
	for _, r := range reservations {
		m.Reservations = append(m.Reservations, reservation{
			int64(r.ID), int64(r.UserID), r.Size, int8(r.Status), int64(r.CreatedAt), int64(r.ExpiresAt), int64(r.EndedAt), r.Offer,
		})
	}
	for i := range purchases {
		m.Purchases = append(m.Purchases, said(&purchases[i]))
	}
	return json.Marshal(&m)
}

// read decodes a message into m, after checking the format that is returns.
func read[M any](data []byte, m *M, is func(*M) int) error {
	if err := json.Unmarshal(data, m); err != nil {
		var other struct {
			Format int `json:"format"`
		}
		if json.Unmarshal(data, &other) == nil && other.Format > 0 && other.Format != format {
			return errForeign
		}
		return fmt.Errorf("%w: %w", errInvalid, err)
	}
	switch f := is(m); {
	case f == format:
		return nil
	case f > 0:
		return errForeign
	default:
		return errInvalid
	}
}

// decodeState decodes what encodeState encodes. Its result satisfies every rule that the code which shows a drop
// relies on.
func decodeState(data []byte) (engine.Event, error) {
	var m state
	if err := read(data, &m, func(m *state) int { return m.Format }); err != nil {
		return engine.Event{}, err
	}
	d := drop.Drop{
		ID:        drop.ID(m.ID),
		Version:   m.Version,
		CreatedAt: drop.Time(m.Made),
		Settings: drop.Settings{
			Name: m.Name, Price: drop.Money(m.Price), StartTime: drop.Time(m.Start), ImageURL: m.Image,
			LimitPerUser: m.Limit, MaxExpiredHolds: m.Expired, Waitlist: m.Line.Open,
			OfferFor: cmp.Or(m.Line.Offer, drop.DefaultOfferFor), MaxWaiting: cmp.Or(m.Line.Most, drop.DefaultMaxWaiting),
			OffersCount: m.Line.Counts, Paused: m.Flags.Paused, Hidden: m.Flags.Hidden, Archived: m.Flags.Archived,
		},
	}
	var err error
	if err = m.Draw.decode(&d); err != nil {
		return engine.Event{}, err
	}
	for _, s := range m.Sizes {
		d.Sizes = append(d.Sizes, drop.Size{
			Label: s.Label, Stock: drop.Stock{Total: s.Total, Available: s.Available, Held: s.Held, Sold: s.Sold},
			Waiting: s.Waiting, Pending: s.Pending,
		})
	}
	if err := checkDrop(&d); err != nil {
		return engine.Event{}, err
	}
	if d.Accesses, err = drop.DecodeAccesses(string(m.Access)); err != nil || !sound(&d) {
		return engine.Event{}, fmt.Errorf("%w: the early access to drop %d", errInvalid, d.ID)
	}
	var list []drop.Recent
	for _, r := range m.Recent {
		if !within(r.ID, d.ID) || !readable(r.Name) || !readable(r.Public) || !aTime(r.At) {
			return engine.Event{}, fmt.Errorf("%w: a purchase in the list", errInvalid)
		}
		list = append(list, drop.Recent{ID: drop.PurchaseID(r.ID), Username: r.Name, PublicName: r.Public, CreatedAt: drop.Time(r.At)})
	}
	if len(list) > drop.RecentLimit || m.Listed > m.Sold {
		return engine.Event{}, fmt.Errorf("%w: %d purchases in the list, up to %d of %d", errInvalid, len(list), m.Listed, m.Sold)
	}
	ev := engine.Event{View: engine.NewView(d, list, m.Sold, m.Listed)}
	if e := m.Moved; e != nil {
		if err := new(drop.Stock).Post(drop.Reason(e.Reason), 0); err != nil {
			return engine.Event{}, fmt.Errorf("%w: %w", errInvalid, err)
		}
		ev.Ledger = []drop.LedgerEntry{{
			Seq: drop.Seq(e.Seq), At: drop.Time(e.At), Size: e.Size, Reason: drop.Reason(e.Reason), Units: e.Units, Available: e.Available,
		}}
	}
	if m.Bought != nil {
		p, err := m.Bought.decode(d.ID)
		if err != nil {
			return engine.Event{}, err
		}
		ev.Purchases = []drop.Purchase{p}
	}
	return ev, nil
}

// decode reads the draw of a drop. Without one it does nothing.
func (l *lottery) decode(to *drop.Drop) error {
	if l == nil {
		return nil
	}
	t, err := drop.DecodeDraw(string(l.Terms))
	phase := drop.DrawPhase(l.Phase)
	if err != nil || !aTime(int64(t.Opens)) || !aTime(int64(t.Closes)) || t.Opens >= t.Closes || t.PayWithin < 1 || t.Round < 0 ||
		t.Chain != "" && !slices.Contains(drop.Chains, t.Chain) || phase < drop.Entering || phase > drop.Drawn || l.Entered > drop.MaxEntries {
		return fmt.Errorf("%w: the draw of drop %d", errInvalid, to.ID)
	}
	to.Draw, to.DrawState = t, drop.DrawState{Phase: phase, Entered: l.Entered, Lined: l.Lined}
	return nil
}

// sound checks that the gate can rely on the early access to a drop.
func sound(d *drop.Drop) bool {
	for i := range d.Accesses {
		x := &d.Accesses[i]
		if x.Starts < 0 || x.Ends < 0 || !aTime(int64(x.Starts)) || x.Ends != 0 && !aTime(int64(x.Ends)) || x.Units < 0 || !readable(x.Name) || len(x.Kept) > len(d.Sizes) {
			return false
		}
		for size, n := range x.Kept {
			if n < 0 || n > d.Sizes[size].Stock.Held {
				return false
			}
		}
		for _, size := range x.Sizes {
			if size < 0 || size >= len(d.Sizes) {
				return false
			}
		}
	}
	return true
}

// checkDrop checks that a drop can be shown.
func checkDrop(d *drop.Drop) error {
	if d.ID < 1 || d.ID > drop.MaxID || d.Version < 1 || !d.Price.IsPrice() || !aTime(int64(d.StartTime)) ||
		!aTime(int64(d.CreatedAt)) || d.LimitPerUser < 0 || d.MaxExpiredHolds < 0 || d.OfferFor < 0 || d.MaxWaiting < 0 || !readable(d.Name) || !readable(d.ImageURL) {
		return fmt.Errorf("%w: drop %d", errInvalid, d.ID)
	}
	if len(d.Sizes) < 1 || len(d.Sizes) > drop.MaxSizes {
		return fmt.Errorf("%w: %d sizes", errInvalid, len(d.Sizes))
	}
	for i := range d.Sizes {
		s := &d.Sizes[i]
		if s.Stock.Total > drop.MaxStock || s.Stock.Available > s.Stock.Total || s.Stock.Held > s.Stock.Total || !s.Stock.Balanced() ||
			s.Pending < 0 || s.Pending > s.Waiting || s.Pending > s.Stock.Held ||
			drop.CheckLabel("size", s.Label) != nil || s.Label == "" && len(d.Sizes) > 1 ||
			slices.ContainsFunc(d.Sizes[:i], func(other drop.Size) bool { return other.Label == s.Label }) {
			return fmt.Errorf("%w: size %d", errInvalid, i)
		}
	}
	return nil
}

// within reports whether the number of a reservation or purchase belongs to that drop.
func within(id int64, d drop.ID) bool {
	return drop.ReservationID(id).Drop() == d && id&math.MaxUint32 != 0
}

// aTime reports whether a time can be written in RFC 3339, whose years have four digits. 0 means none.
func aTime(t int64) bool { return t >= 0 && t < 253_402_300_800_000 }

func aUser(id int64) bool { return id > 0 && id <= drop.MaxSafeInteger }

// readable accepts what can be shown as text.
func readable(s string) bool {
	return len(s) <= 4*drop.MaxImageURL && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

func (p *purchase) decode(d drop.ID) (drop.Purchase, error) {
	if !within(p.ID, d) || !within(p.Reservation, d) || !aUser(p.User) || !aTime(p.At) || drop.CheckLabel("size", p.Size) != nil {
		return drop.Purchase{}, fmt.Errorf("%w: purchase %d", errInvalid, p.ID)
	}
	return drop.Purchase{
		ID: drop.PurchaseID(p.ID), ReservationID: drop.ReservationID(p.Reservation), UserID: drop.UserID(p.User), Size: p.Size,
		Price: drop.Money(p.Price), CreatedAt: drop.Time(p.At),
	}, nil
}

func (r *reservation) decode() (*drop.Reservation, error) {
	id, status := drop.ReservationID(r.ID), drop.Status(r.Status)
	if id.Drop() < 1 || id.Drop() > drop.MaxID || !within(r.ID, id.Drop()) || !aUser(r.User) || !status.Known() ||
		!aTime(r.At) || !aTime(r.Expires) || !aTime(r.Ended) || drop.CheckLabel("size", r.Size) != nil {
		return nil, fmt.Errorf("%w: reservation %d", errInvalid, r.ID)
	}
	return &drop.Reservation{
		ID: id, UserID: drop.UserID(r.User), Size: r.Size, Status: status,
		CreatedAt: drop.Time(r.At), ExpiresAt: drop.Time(r.Expires), EndedAt: drop.Time(r.Ended),
		Offer: r.Offer,
	}, nil
}

// decodeOwned decodes what encodeOwned encodes. Live reservations become Made, the others Ended.
func decodeOwned(data []byte) (engine.Event, error) {
	var m owned
	if err := read(data, &m, func(m *owned) int { return m.Format }); err != nil {
		return engine.Event{}, err
	}
	var ev engine.Event
	for i := range m.Reservations {
		r, err := m.Reservations[i].decode()
		if err != nil {
			return engine.Event{}, err
		}
		if r.Status == drop.Active {
			ev.Made = append(ev.Made, r)
		} else {
			ev.Ended = append(ev.Ended, r)
		}
	}
	for i := range m.Purchases {
		d := drop.ReservationID(m.Purchases[i].Reservation).Drop()
		if d < 1 || d > drop.MaxID {
			return engine.Event{}, fmt.Errorf("%w: purchase of drop %d", errInvalid, d)
		}
		p, err := m.Purchases[i].decode(d)
		if err != nil {
			return engine.Event{}, err
		}
		ev.Purchases = append(ev.Purchases, p)
	}
	return ev, nil
}
