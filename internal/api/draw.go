package api

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"sneakerdrop/internal/draw"
	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/negotiate"
	"sneakerdrop/internal/shop/drawing"
)

// terms checks that the fields are there and well-formed. The spec's own Check, and the engine, check their values.
func (in *drawRequest) terms() (drop.Draw, error) {
	var t drop.Draw
	opens, err := required("draw.opens", in.Opens)
	if err != nil {
		return t, err
	}
	closes, err := required("draw.closes", in.Closes)
	if err != nil {
		return t, err
	}
	t = drop.Draw{
		Opens: drop.Time(opens), Closes: drop.Time(closes), PayWithin: cmp.Or(orDefault(in.PayWithin), drop.DefaultPayWithin),
		Chain: optional(in.Beacon), Round: int64(optional(in.Round)),
	}
	switch {
	case in.Beacon != nil && t.Chain == "":
		return t, drop.Invalid("draw.beacon", "must not be empty; leave it out for a draw without a beacon")
	case in.Beacon != nil && in.Round == nil:
		return t, drop.Invalid("draw.round", "is required with draw.beacon")
	case in.Beacon == nil && in.Round != nil:
		return t, drop.Invalid("draw.beacon", "is required with draw.round")
	}
	if in.Commitment == nil {
		return t, nil
	}
	hash, err := readHash("draw.seed_commitment", *in.Commitment)
	if err == nil && hash == (draw.Hash{}) {
		err = drop.Invalid("draw.seed_commitment", "must be the commitment to a seed; leave it out if the server shall make the seed")
	}
	t.Commitment = drop.Hash(hash)
	return t, err
}

// readHash reads 64 lowercase hexadecimal digits.
func readHash(field, text string) (h draw.Hash, err error) {
	if h.UnmarshalText([]byte(text)) != nil {
		return h, drop.Invalid(field, "must be 64 lowercase hexadecimal digits")
	}
	return h, nil
}

// maxSignature is the most digits that a signature of a beacon has.
const maxSignature = 192

func readSignature(field, text string) (draw.Hex, error) {
	var h draw.Hex
	if text == "" || len(text) > maxSignature || h.UnmarshalText([]byte(text)) != nil {
		return nil, drop.Invalid(field, fmt.Sprintf("must be an even number of at most %d lowercase hexadecimal digits", maxSignature))
	}
	return h, nil
}

func answerTerms(d *drop.Drop, now drop.Time) *drawTerms {
	t := &d.Draw
	return &drawTerms{
		Opens: instant(t.Opens), Closes: instant(t.Closes), PayWithin: t.PayWithin, Commitment: t.Commitment.String(),
		Beacon: t.Chain, Round: t.Round, Phase: phaseOf(d, now), Entered: d.DrawState.Entered,
	}
}

// phaseOf names how far a draw has come.
func phaseOf(d *drop.Drop, now drop.Time) string {
	switch {
	case d.DrawState.Phase == drop.Drawn:
		return "drawn"
	case d.DrawState.Phase == drop.Drawing || now >= d.Draw.Closes:
		return "closed"
	case now < d.Draw.Opens:
		return "soon"
	default:
		return "open"
	}
}

// nextPhase is when time alone changes the phase of a draw; 0: it does not, or the drop has no draw.
func nextPhase(d *drop.Drop, now drop.Time) drop.Time {
	switch phaseOf(d, now) {
	case "soon":
		return d.Draw.Opens
	case "open":
		return d.Draw.Closes
	default:
		return 0
	}
}

func (a *api) enterDraw(w http.ResponseWriter, r *http.Request) error {
	in, retry, err := asked[enterRequest](w, r)
	if err != nil {
		return err
	}
	id, err := required("dropId", in.DropID)
	if err != nil {
		return err
	}
	sizes, err := readSizes(optional(in.Sizes))
	if err != nil {
		return err
	}
	user, err := a.buyer(r.Context(), callerOf(w), drop.ID(id), &buyerFields{in.UserID, in.UserName, in.Email}, func(d *drop.Drop) *drop.Error {
		_, refusal := d.Rank(sizes)
		if refusal == nil && !d.HasDraw() {
			refusal = drop.Refuse(drop.CodeNoDraw)
		}
		return refusal
	})
	if err != nil {
		return err
	}
	receipts, err := a.draws.Receipts(r.Context(), drop.ID(id))
	if err != nil {
		return err
	}
	return a.showing(w, r, in.Code, func(code string) error {
		e, err := a.engine.EnterEarly(r.Context(), drop.ID(id), user, sizes, code, retry)
		if err != nil {
			return err
		}
		return a.writeOwnEntry(w, r, &e, receipts)
	})
}

func readSizes(given []label) ([]string, error) {
	if len(given) > drop.MaxRanked {
		return nil, drop.Invalid("sizes", fmt.Sprintf("must have at most %d sizes", drop.MaxRanked))
	}
	sizes := make([]string, len(given))
	for i, size := range given {
		field := "sizes[" + strconv.Itoa(i) + "]"
		if size == "" {
			return nil, drop.Invalid(field, "must not be empty")
		}
		if err := drop.CheckLabel(field, string(size)); err != nil {
			return nil, err
		}
		if slices.Contains(given[:i], size) {
			return nil, drop.Invalid("sizes", "must name each size at most once")
		}
		sizes[i] = string(size)
	}
	return sizes, nil
}

func (a *api) withdrawFromDraw(w http.ResponseWriter, r *http.Request) error {
	in, retry, err := asked[withdrawRequest](w, r)
	if err != nil {
		return err
	}
	id, err := required("dropId", in.DropID)
	if err != nil {
		return err
	}
	user, err := a.buyer(r.Context(), callerOf(w), drop.ID(id), &buyerFields{in.UserID, in.UserName, in.Email}, func(d *drop.Drop) *drop.Error {
		if !d.HasDraw() {
			return drop.Refuse(drop.CodeNoDraw)
		}
		return nil
	})
	if err != nil {
		return err
	}
	receipts, err := a.draws.Receipts(r.Context(), drop.ID(id))
	if err != nil {
		return err
	}
	e, err := a.engine.Withdraw(r.Context(), drop.ID(id), user, retry)
	if err != nil {
		return err
	}
	return a.writeOwnEntry(w, r, &e, receipts)
}

func (a *api) writeOwnEntry(w http.ResponseWriter, r *http.Request, e *drop.DrawEntry, receipts drawing.Receipts) error {
	v, err := a.engine.View(r.Context(), e.ID.Drop())
	if err != nil {
		return err
	}
	answer := answerEntry(&v.Drop, e)
	if err := a.addOwn(r.Context(), &v.Drop, e, receipts, answer); err != nil {
		return err
	}
	writeJSON(w, answer)
	return nil
}

// answerEntry answers with an entry. Of a damaged one it leaves out sizes that the drop does not have: operators can
// still list and remove it. The audit says what is damaged.
func answerEntry(d *drop.Drop, e *drop.DrawEntry) *drawEntryAnswer {
	answer := &drawEntryAnswer{
		ID: e.ID, DropID: e.ID.Drop(), UserID: e.UserID, Sizes: []string{}, Status: "entered", Reason: e.Removed, CreatedAt: instant(e.CreatedAt),
	}
	if d.Sized() {
		for _, place := range e.Sizes.Places() {
			if place >= 0 && place < len(d.Sizes) {
				answer.Sizes = append(answer.Sizes, d.Sizes[place].Label)
			}
		}
	}
	switch {
	case e.Removed != "":
		answer.Status = "removed"
	case e.WithdrawnAt != 0:
		answer.Status = "withdrawn"
	}
	return answer
}

// addOwn adds to an entry what only its buyer gets.
func (a *api) addOwn(ctx context.Context, d *drop.Drop, e *drop.DrawEntry, receipts drawing.Receipts, to *drawEntryAnswer) error {
	receipt, err := receipts.Of(e)
	if err != nil {
		return err
	}
	salt, _ := receipt.Salt.MarshalText() // never fails
	to.Receipt = &drawReceiptAnswer{receipt.Version, receipt.Drop, int64(receipt.Entry), receipt.Buyer, string(salt), receipt.Sizes}
	if d.DrawState.Phase != drop.Drawn || !e.In() {
		return nil
	}
	outcome, known, err := a.draws.Outcome(ctx, e)
	if err == nil && known {
		to.Result = &drawResultAnswer{outcome.Won, outcome.Size, outcome.Place}
	}
	return err
}

// listDrawEntries answers with a buyer's entries or, for an operator and without userId, with all.
func (a *api) listDrawEntries(w http.ResponseWriter, r *http.Request) error {
	q, err := a.entriesAsked(w, r)
	if err != nil {
		return err
	}
	d := &q.view.Drop
	if !d.HasDraw() {
		return drop.Refuse(drop.CodeNoDraw)
	}
	answer := drawEntriesAnswer{Entries: []drawEntryAnswer{}}
	if q.user != 0 {
		err = a.ownEntries(r.Context(), d, q.user, callerOf(w).token.ID == 0, &answer)
	} else {
		err = a.allEntries(r.Context(), d, q.after, q.limit, &answer)
	}
	if err != nil {
		return err
	}
	writeJSON(w, &answer)
	return nil
}

// ownEntries adds a user's entries. own says that the caller is that user, as far as the shop can tell.
func (a *api) ownEntries(ctx context.Context, d *drop.Drop, user drop.UserID, own bool, to *drawEntriesAnswer) error {
	found, err := a.engine.DrawEntriesOf(ctx, d.ID, user)
	if err != nil {
		return err
	}
	receipts, err := a.draws.Receipts(ctx, d.ID)
	if err != nil {
		return err
	}
	slices.SortFunc(found, func(x, y drop.DrawEntry) int { return cmp.Compare(x.ID, y.ID) })
	for i := range found {
		e := answerEntry(d, &found[i])
		if own {
			if err := a.addOwn(ctx, d, &found[i], receipts, e); err != nil {
				return err
			}
		}
		to.Entries = append(to.Entries, *e)
	}
	return nil
}

func (a *api) allEntries(ctx context.Context, d *drop.Drop, after drop.EntryID, limit int, to *drawEntriesAnswer) error {
	found, err := a.engine.DrawEntries(ctx, d.ID, after, limit+1)
	if err != nil {
		return err
	}
	found, more := pageOf(found, limit)
	for i := range found {
		to.Entries = append(to.Entries, *answerEntry(d, &found[i]))
	}
	if more {
		to.Next = &found[limit-1].ID
	}
	return nil
}

func (a *api) removeDrawEntry(w http.ResponseWriter, r *http.Request) error {
	id, retry, err := dropAndRetry(w, r)
	if err != nil {
		return err
	}
	var in removeRequest
	if err := readBody(w, r, &in); err != nil {
		return err
	}
	entry, err := required("entryId", in.EntryID)
	if err != nil {
		return err
	}
	reason, err := required("reason", in.Reason)
	if err != nil {
		return err
	}
	v, err := a.engine.View(r.Context(), id)
	if err != nil {
		return err
	}
	if drop.EntryID(entry).Drop() != id {
		return drop.Refuse(drop.CodeEntryNotFound)
	}
	e, err := a.engine.RemoveEntry(r.Context(), drop.EntryID(entry), reason, retry)
	if err != nil {
		return err
	}
	writeJSON(w, answerEntry(&v.Drop, &e))
	return nil
}

func (a *api) revealDraw(w http.ResponseWriter, r *http.Request) error {
	id, err := dropOf(w, r)
	if err != nil {
		return err
	}
	var in revealRequest
	if err := readBody(w, r, &in); err != nil {
		return err
	}
	reveal, err := in.reveal()
	if err != nil {
		return err
	}
	if err := a.hasDraw(r.Context(), id); err != nil {
		return err
	}
	if err := a.draws.Reveal(r.Context(), id, reveal); err != nil {
		return err
	}
	return a.writeDraw(w, r, id)
}

func (in *revealRequest) reveal() (to drawing.Reveal, err error) {
	if in.Seed == nil && in.Beacon == nil {
		return to, drop.Invalid("seed", "is required, or beacon in its place")
	}
	if in.Seed != nil {
		to.Seed = new(draw.Seed)
		if to.Seed.UnmarshalText([]byte(*in.Seed)) != nil {
			return to, drop.Invalid("seed", "must be 64 lowercase hexadecimal digits")
		}
	}
	if in.Beacon == nil {
		return to, nil
	}
	signature, err := required("beacon.signature", in.Beacon.Signature)
	if err != nil {
		return to, err
	}
	if to.Signature, err = readSignature("beacon.signature", signature); err != nil {
		return to, err
	}
	if in.Beacon.Previous != nil {
		if to.Previous, err = readSignature("beacon.previous_signature", *in.Beacon.Previous); err != nil {
			return to, err
		}
	}
	if in.Beacon.Randomness == nil {
		return to, nil
	}
	randomness, err := readHash("beacon.randomness", *in.Beacon.Randomness)
	if err == nil && randomness != draw.Hash(sha256.Sum256(to.Signature)) {
		err = drop.Invalid("beacon.randomness", "must be the SHA-256 of the signature")
	}
	return to, err
}

func (a *api) hasDraw(ctx context.Context, id drop.ID) error {
	v, err := a.engine.View(ctx, id)
	if err == nil && !v.Drop.HasDraw() {
		err = drop.Refuse(drop.CodeNoDraw)
	}
	return err
}

func (a *api) showDraw(w http.ResponseWriter, r *http.Request) error {
	id, err := dropOf(w, r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), a.timeout.after)
	defer cancel()
	if err := a.hasDraw(ctx, id); err != nil {
		return err
	}
	return a.writeDraw(w, r.WithContext(ctx), id)
}

// writeDraw sends what everybody may know of a draw. A record can have 64 MiB. Clients that accept gzip get the bytes
// that are kept, and for the others they are unpacked piece by piece.
func (a *api) writeDraw(w http.ResponseWriter, r *http.Request, id drop.ID) error {
	p, err := a.draws.Public(r.Context(), id)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Add("Vary", "Accept-Encoding")
	packed := len(p.Gzip) > 0 && negotiate.AcceptsGzip(r.Header)
	tag := `"` + strings.Trim(p.ETag, `"`) + `"`
	if packed {
		tag = strings.TrimSuffix(tag, `"`) + `-gzip"`
	}
	h.Set("ETag", tag)
	if r.Method != http.MethodPost && negotiate.HasTag(r.Header, tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	body, err := p.Text()
	if err != nil {
		return fmt.Errorf("unpack the record of the draw of drop %d: %w", id, err)
	}
	switch {
	case packed:
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", strconv.Itoa(len(p.Gzip)))
		body = bytes.NewReader(p.Gzip)
	case p.JSON != nil:
		h.Set("Content-Length", strconv.Itoa(len(p.JSON)))
	}
	h.Set("Content-Type", jsonType[0])
	w.WriteHeader(http.StatusOK)
	if r.Method == http.MethodHead {
		return nil
	}
	return sendSlowly(w, body)
}

// sendSlowly sends a long body to a client that may be slow: each piece has its own time limit.
func sendSlowly(w http.ResponseWriter, body io.Reader) error {
	const piece = 256 << 10
	connection := http.NewResponseController(w)
	for {
		_ = connection.SetWriteDeadline(time.Now().Add(pageWriteTimeout)) // replaces the server's deadline for the whole answer
		n, err := io.CopyN(w, body, piece)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("send the record of a draw: %w: %w", errReaderGone, err)
		case n == piece:
			if err := connection.Flush(); err != nil {
				return fmt.Errorf("send the record of a draw: %w: %w", errReaderGone, err)
			}
		}
	}
}
