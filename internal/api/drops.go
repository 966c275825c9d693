package api

import (
	"compress/gzip"
	"net/http"
	"strconv"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/negotiate"
)

type createRequest struct {
	Name       *string        `json:"name" required:"true" nullable:"false" minLength:"1" maxLength:"200" doc:"What is sold"`
	Price      *amount        `json:"price" required:"true" nullable:"false"`
	TotalStock *whole         `json:"total_stock,omitzero" nullable:"true" minimum:"0" maximum:"10000000" doc:"Units for sale. Required without sizes; with sizes it must equal their sum"`
	StartTime  *instant       `json:"start_time,omitzero" nullable:"true" doc:"When reserving opens: RFC 3339 with a zone, years 1970 to 9999, cut to milliseconds. Required without draw; with one the default is draw.closes, and it must not be earlier"`
	ImageURL   *string        `json:"image_url,omitzero" maxLength:"2048" doc:"An http or https address, or a path that starts with /"`
	Sizes      *[]sizeRequest `json:"sizes,omitzero" nullable:"true" maxItems:"100" doc:"The sizes of the drop. Leave out for a drop without sizes"`
	Limit      *whole         `json:"limit_per_user,omitzero" nullable:"true" minimum:"0" maximum:"1000" doc:"Active reservations plus purchases that one user may have. 0 or left out: no limit"`
	Hidden     *bool          `json:"hidden,omitzero" nullable:"true" doc:"true: a draft, which is not in the list until you set hidden to false. Anybody who knows the id can still reserve"`
	Expired    *whole         `json:"max_expired_holds,omitzero" nullable:"true" minimum:"0" maximum:"100" doc:"Unpaid holds (expired or cancelled) that one user may have. After that, each further one costs a wait of 60 s, 240 s and so on, up to 24 h. 0 or left out: no limit"`
	Waitlist   *bool          `json:"waitlist,omitzero" nullable:"true" doc:"true: buyers can wait for units that come free"`
	OfferFor   *whole         `json:"offer_for,omitzero" nullable:"true" minimum:"10" maximum:"86400" default:"600" doc:"Seconds that a buyer from the waitlist has to buy an offered unit"`
	MaxWaiting *whole         `json:"max_waiting,omitzero" nullable:"true" minimum:"1" maximum:"1000000" default:"10000" doc:"Entries that may wait at a time, in all sizes"`
	Count      *bool          `json:"offers_count,omitzero" nullable:"true" doc:"true: an offer that its buyer let pass counts toward max_expired_holds"`
	Draw       *drawRequest   `json:"draw,omitzero" doc:"A draw decides who may buy. Its terms never change"`
}

type sizeRequest struct {
	Size  *label `json:"size" required:"true" nullable:"false" doc:"The label, such as 9.5 or \"XL\". Labels must differ"`
	Stock *whole `json:"stock" required:"true" nullable:"false" minimum:"0" maximum:"10000000" doc:"Units of this size"`
}

type dropAnswer struct {
	ID             drop.ID        `json:"id" minimum:"1"`
	Name           string         `json:"name"`
	Price          price          `json:"price"`
	TotalStock     int64          `json:"total_stock" doc:"Units of all sizes: available, held and sold"`
	AvailableStock int64          `json:"available_stock" doc:"Available units"`
	StartTime      instant        `json:"start_time"`
	ImageURL       *string        `json:"image_url"`
	LimitPerUser   *int           `json:"limit_per_user" doc:"null: no limit"`
	MaxExpired     *int           `json:"max_expired_holds,omitzero" doc:"Present if the drop has this limit: unpaid holds that one user may have before a wait"`
	Paused         bool           `json:"paused"`
	Version        int64          `json:"version" doc:"Grows with every change of the drop"`
	Hidden         bool           `json:"hidden,omitzero" doc:"Present only if true: the drop is not in the list"`
	Archived       bool           `json:"archived,omitzero" doc:"Present only if true: the drop is over and not in the list"`
	Waitlist       bool           `json:"waitlist,omitzero" doc:"Present only if true: buyers can wait for units that come free"`
	OfferFor       int            `json:"offer_for,omitzero" doc:"Present with waitlist: seconds that an offer lasts"`
	MaxWaiting     int            `json:"max_waiting,omitzero" doc:"Present with waitlist: entries that may wait at a time, in all sizes"`
	Count          bool           `json:"offers_count,omitzero" doc:"Present only if true: an offer that its buyer let pass counts toward max_expired_holds"`
	Waiting        *int64         `json:"waiting,omitzero" doc:"Present with waitlist: entries that wait now, in all sizes"`
	Draw           *drawTerms     `json:"draw,omitzero" doc:"Present if a draw decides who may buy"`
	Early          *earlyAnswer   `json:"early,omitzero" doc:"Present if the drop has, or had, early access"`
	Sizes          []sizeAnswer   `json:"sizes,omitempty" nullable:"false" doc:"Absent for a drop without sizes"`
	Purchases      []recentAnswer `json:"purchases" nullable:"false" doc:"The 3 newest purchases, newest first"`
	// PurchasesToo has the spelling that the original's own web client reads.
	PurchasesToo []recentTooAnswer `json:"Purchases" nullable:"false" doc:"The same as purchases, in another spelling"`
}

type sizeAnswer struct {
	Size           string `json:"size"`
	TotalStock     int64  `json:"total_stock"`
	AvailableStock int64  `json:"available_stock"`
	Waiting        *int64 `json:"waiting,omitzero" doc:"Present with waitlist: entries that wait for the size"`
}

type recentAnswer struct {
	ID        drop.PurchaseID `json:"id"`
	Username  string          `json:"username" doc:"The public form of the buyer's name, as set with --buyer-names: the full name, a short form, or Anonymous. The short form is the given name and the initial of the family name if the buyer's token separates them. Otherwise it is the first character and a period"`
	CreatedAt instant         `json:"createdAt"`
}

type recentTooAnswer struct {
	ID          drop.PurchaseID `json:"id"`
	CreatedAt   instant         `json:"createdAt"`
	UserName    string          `json:"userName"`
	UserNameToo string          `json:"user_name"`
	User        recentUser      `json:"User"`
}

type recentUser struct {
	Username string `json:"username"`
}

func (a *api) createDrop(w http.ResponseWriter, r *http.Request) error {
	in, retry, err := asked[createRequest](w, r)
	if err != nil {
		return err
	}
	spec, err := a.spec(&in)
	if err != nil {
		return err
	}
	v, err := a.engine.Create(r.Context(), spec, retry)
	if err != nil {
		return err
	}
	concerns(w, v.Drop.ID)
	made(w, "drop", int64(v.Drop.ID))
	writeBody(w, http.StatusOK, a.encoded(v))
	return nil
}

// spec checks that the required fields are present. The spec's own Check checks their values.
func (a *api) spec(in *createRequest) (drop.Spec, error) {
	spec := drop.Spec{
		ImageURL: optional(in.ImageURL), LimitPerUser: int(optional(in.Limit)), TotalStock: (*int64)(in.TotalStock),
		MaxExpiredHolds: int(optional(in.Expired)), Hidden: optional(in.Hidden), Waitlist: optional(in.Waitlist),
		OfferFor: orDefault(in.OfferFor), MaxWaiting: orDefault(in.MaxWaiting), OffersCount: optional(in.Count),
	}
	var err error
	if spec.Name, err = required("name", in.Name); err != nil {
		return spec, err
	}
	price, err := required("price", in.Price)
	if err != nil {
		return spec, err
	}
	if spec.Price, err = a.money("price", price); err != nil {
		return spec, err
	}
	if in.Draw != nil {
		if spec.Draw, err = in.Draw.terms(); err != nil {
			return spec, err
		}
	}
	if in.StartTime == nil && in.Draw != nil {
		in.StartTime = in.Draw.Closes
	}
	start, err := required("start_time", in.StartTime)
	if err != nil {
		return spec, err
	}
	spec.StartTime = drop.Time(start)
	for i, s := range optional(in.Sizes) {
		field := "sizes[" + strconv.Itoa(i) + "]"
		size, err := required(field+".size", s.Size)
		if err != nil {
			return spec, err
		}
		stock, err := required(field+".stock", s.Stock)
		if err != nil {
			return spec, err
		}
		spec.Sizes = append(spec.Sizes, drop.SizeSpec{Label: string(size), Stock: int64(stock)})
	}
	return spec, nil
}

// orDefault returns a number for which the domain takes 0 as the default. If the caller sends 0, it returns one that
// the domain refuses.
func orDefault(n *whole) int {
	if n != nil && *n == 0 {
		return -1
	}
	return int(optional(n))
}

func (a *api) getDrop(w http.ResponseWriter, r *http.Request) error {
	id, err := pathNumber(r)
	if err != nil {
		return err
	}
	v, err := a.engine.View(r.Context(), drop.ID(id))
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-cache")
	negotiate.NewBody(jsonType[0], a.encoded(v), gzip.BestSpeed).ServeHTTP(w, r)
	return nil
}

// encoded returns a drop as JSON. The phase of a draw that is not over depends on the time, so that JSON is not kept.
func (a *api) encoded(v *engine.View) []byte {
	if v.Drop.DrawPending() {
		return a.encodeDrop(v)
	}
	return v.Encoded(a.encodeDrop)
}

func (a *api) encodeDrop(v *engine.View) []byte {
	d := &v.Drop
	stock := d.Stock()
	answer := dropAnswer{
		ID: d.ID, Name: d.Name, Price: price(d.Price), TotalStock: stock.Total, AvailableStock: stock.Available,
		StartTime: instant(d.StartTime), Paused: d.Paused, Version: d.Version, Hidden: d.Hidden, Archived: d.Archived,
		Purchases:    make([]recentAnswer, len(v.Recent)),
		PurchasesToo: make([]recentTooAnswer, len(v.Recent)),
		ImageURL:     unlessZero(&d.ImageURL),
		LimitPerUser: unlessZero(&d.LimitPerUser),
		MaxExpired:   unlessZero(&d.MaxExpiredHolds),
	}
	if d.Waitlist {
		answer.Waitlist, answer.OfferFor, answer.MaxWaiting, answer.Count = true, d.OfferFor, d.MaxWaiting, d.OffersCount
		answer.Waiting = new(d.Waiting())
	}
	if d.HasDraw() {
		answer.Draw = answerTerms(d, a.engine.Now())
	}
	answer.Early = answerEarly(d)
	if d.Sized() {
		for i := range d.Sizes {
			s := &d.Sizes[i]
			size := sizeAnswer{Size: s.Label, TotalStock: s.Stock.Total, AvailableStock: s.Stock.Available}
			if d.Waitlist {
				size.Waiting = &s.Waiting
			}
			answer.Sizes = append(answer.Sizes, size)
		}
	}
	for i, p := range v.Recent {
		at, name := instant(p.CreatedAt), a.names.Show(p.Username, p.PublicName)
		answer.Purchases[i] = recentAnswer{p.ID, name, at}
		answer.PurchasesToo[i] = recentTooAnswer{p.ID, at, name, name, recentUser{name}}
	}
	return encode(&answer)
}
