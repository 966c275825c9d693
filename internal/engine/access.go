package engine

import (
	"context"
	"crypto/sha256"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// AddAccess makes an access to early access, or adds passes to one, and returns the drop right after that. See
// drop.AddAccess.
func (e *Engine) AddAccess(ctx context.Context, id drop.ID, cmd drop.AddAccess, r Retry) (*View, error) {
	return e.change(ctx, id, r.under(id, cmd), r)
}

// EndAccess ends an access now, and returns the drop right after that. See drop.EndAccess.
func (e *Engine) EndAccess(ctx context.Context, id drop.ID, access int, r Retry) (*View, error) {
	return e.change(ctx, id, r.under(id, drop.EndAccess{Access: access}), r)
}

// passes returns what a buyer can show: the code, and the lists of the drop that may name the buyer; nil: nothing. It
// asks the store for the buyer's email only if a list names some by it.
func (e *Engine) passes(ctx context.Context, d *drop.Drop, user drop.UserID, code string) (*drop.Passes, error) {
	if code == "" && len(d.Accesses) == 0 {
		return nil, nil //nolint:nilnil // the buyer shows nothing
	}
	with := new(drop.Passes)
	if code != "" {
		with.Code = drop.HashCode(d.ID, code)
	}
	now := e.Now()
	var email drop.Hash // zero: the buyer has none, even if a list has the hash of nothing
	asked := false
	for i := range d.Accesses {
		x := &d.Accesses[i]
		if !x.List || !d.MayAdmit(x, now) {
			continue
		}
		with.Listed = append(with.Listed, drop.OnList(i+1, drop.HashBuyer(user)))
		if !x.Emails {
			continue
		}
		if !asked {
			buyer, err := Ask(ctx, e, func(s store.Records) (drop.User, error) { return s.User(ctx, user) })
			if err != nil && drop.CodeOf(err) != drop.CodeUserNotFound {
				return nil, err
			}
			if asked = true; buyer.Email != "" {
				email = drop.HashEmail(sha256.Sum256([]byte(buyer.Email)))
			}
		}
		if email != (drop.Hash{}) {
			with.Listed = append(with.Listed, drop.OnList(i+1, email))
		}
	}
	return with, nil
}
