package engine

import (
	"context"
	"fmt"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

const (
	// pageFresh is how long a page is shown without asking the store. A change that another replica made shows after
	// that time at the latest.
	pageFresh = 2 * time.Second
	// keptPages is how many pages are kept in memory, the ones shown most recently. A page has 0.3 MB at most.
	keptPages = 256
)

// pages keeps what drops' pages say, so that a crowd that opens a page costs one read of the store in pageFresh.
type pages struct {
	loads singleflight.Group

	mu     sync.Mutex
	kept   *lru.Cache[drop.ID, knownPage]
	writes uint64 // grows with each page that is written here
}

type knownPage struct {
	page drop.Page
	at   time.Time
}

func newPages() *pages {
	kept, err := lru.New[drop.ID, knownPage](keptPages)
	if err != nil {
		panic(err) // only a size below 1 is refused
	}
	return &pages{kept: kept}
}

// Page returns what a drop's page says; the zero Page where nobody has written it. A page written here shows at once,
// one written by another replica within 2 seconds. While the store is away, the last known page is shown. Nobody may
// change its images. Refuses with CodeDropNotFound.
func (e *Engine) Page(ctx context.Context, id drop.ID) (drop.Page, error) {
	e.pages.mu.Lock()
	known, found := e.pages.kept.Get(id)
	e.pages.mu.Unlock()
	if found && time.Since(known.at) < pageFresh {
		return known.page, nil
	}
	if id < 1 || id > drop.MaxID {
		return drop.Page{}, drop.Refuse(drop.CodeDropNotFound)
	}
	loading := e.pages.loads.DoChan(fmt.Sprint(id), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), e.RetryFor) // others may wait for this page too
		defer cancel()
		return e.loadPage(ctx, id)
	})
	select {
	case loaded := <-loading:
		if loaded.Err == nil {
			return loaded.Val.(drop.Page), nil
		}
		if found && drop.CodeOf(loaded.Err) == "" {
			return known.page, nil
		}
		return drop.Page{}, loaded.Err
	case <-ctx.Done():
		return drop.Page{}, ctx.Err()
	}
}

func (e *Engine) loadPage(ctx context.Context, id drop.ID) (drop.Page, error) {
	e.pages.mu.Lock()
	before := e.pages.writes
	e.pages.mu.Unlock()
	page, err := Ask(ctx, e, func(s store.Records) (drop.Page, error) { return s.DropPage(ctx, id) })
	if err == nil {
		e.pages.keep(id, page, func(writes uint64) bool { return writes == before }) // else it may be older than what was written
	}
	return page, err
}

// keep keeps a page if the number of pages written so far lets it.
func (p *pages) keep(id drop.ID, page drop.Page, may func(writes uint64) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if may(p.writes) {
		p.kept.Add(id, knownPage{page: page, at: time.Now()})
	}
}

// SetPage stores what a drop's page says in place of what it said, and returns it. If mayReplace is not nil, it is
// asked about the page that is there, and SetPage replaces exactly that one or refuses with CodePageChanged. A page
// that already says the same is no conflict: a retry whose first answer was lost succeeds. Refuses a page that breaks
// a rule, and with CodeDropNotFound.
func (e *Engine) SetPage(ctx context.Context, id drop.ID, page drop.Page, mayReplace func(*drop.Page) bool) (drop.Page, error) {
	normal, err := page.Normal()
	if err != nil {
		return drop.Page{}, err
	}
	if mayReplace != nil {
		return e.replacePage(ctx, id, normal, mayReplace)
	}
	return e.storePage(ctx, id, normal, nil)
}

func (e *Engine) replacePage(ctx context.Context, id drop.ID, page drop.Page, mayReplace func(*drop.Page) bool) (drop.Page, error) {
	for {
		there, err := e.loadPage(ctx, id) // from the store: what is kept in memory may be 2 seconds old
		if err != nil {
			return drop.Page{}, err
		}
		if !mayReplace(&there) {
			if there.UpdatedAt != 0 && there.SaysTheSame(&page) {
				return there, nil
			}
			return drop.Page{}, drop.Refuse(drop.CodePageChanged)
		}
		set, err := e.storePage(ctx, id, page, &there)
		if drop.CodeOf(err) != drop.CodePageChanged {
			return set, err
		}
	}
}

func (e *Engine) storePage(ctx context.Context, id drop.ID, page drop.Page, replacing *drop.Page) (drop.Page, error) {
	set, err := Ask(ctx, e, func(s store.Records) (drop.Page, error) { return s.SetDropPage(ctx, id, page, replacing) })
	e.pages.mu.Lock()
	defer e.pages.mu.Unlock()
	e.pages.writes++
	e.pages.kept.Remove(id) // of two writers at once, the store alone knows which was last
	e.pages.loads.Forget(fmt.Sprint(id))
	return set, err
}

// Duplicate makes a hidden drop like another one: the same price, sizes with their stock, limits, waitlist, image and
// page, and nothing sold. Without a name it has the other's. Without a start it starts when the other does; if that
// moment has passed, at the same time of day 24 to 48 hours from now. It never has a draw, because the other's times
// are over, or would be the same. Refuses with CodeDropNotFound, and what Create refuses.
func (e *Engine) Duplicate(ctx context.Context, id drop.ID, name *string, start *drop.Time, r Retry) (*View, error) {
	of, err := e.lane(ctx, id)
	if err != nil {
		return nil, err
	}
	page, err := Ask(ctx, e, func(s store.Records) (drop.Page, error) { return s.DropPage(ctx, id) })
	if err != nil {
		return nil, err
	}
	d := &of.view.Load().Drop
	spec := drop.Spec{
		Name: d.Name, Price: d.Price, StartTime: startAgain(d.StartTime, drop.TimeOf(time.Now())), ImageURL: d.ImageURL,
		LimitPerUser: d.LimitPerUser, MaxExpiredHolds: d.MaxExpiredHolds, Hidden: true,
		Waitlist: d.Waitlist, OfferFor: d.OfferFor, MaxWaiting: d.MaxWaiting, OffersCount: d.OffersCount,
	}
	if page.UpdatedAt != 0 {
		spec.Page = &page
	}
	if name != nil {
		spec.Name = *name
	}
	if start != nil {
		spec.StartTime = *start
	}
	if total := d.Stock().Total; !d.Sized() {
		spec.TotalStock = &total
	} else {
		for _, size := range d.Sizes {
			spec.Sizes = append(spec.Sizes, drop.SizeSpec{Label: size.Label, Stock: size.Stock.Total})
		}
	}
	return e.create(ctx, spec, r.key("duplicate", drop.AskedDuplicate(id, name, start)), r)
}

// startAgain is the start of a drop like one that starts, or started, at that moment.
func startAgain(start, now drop.Time) drop.Time {
	if start > now {
		return start
	}
	const day = drop.Time(24 * time.Hour / time.Millisecond)
	return start + ((now-start)/day+2)*day
}
