package api

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/limit"
	"sneakerdrop/internal/operator"
)

type codesRequest struct {
	Access   *whole    `json:"access,omitzero" nullable:"true" minimum:"1" maximum:"50" doc:"The number of an early access: its codes or buyers become more, and its terms stay, so leave them out. Left out: a new one is made"`
	Codes    *[]string `json:"codes,omitzero" nullable:"true" minItems:"1" maxItems:"10000" doc:"Your own codes: 6 to 64 letters A to Z and digits. Letter case, spaces and hyphens do not matter. Exactly one of codes, count and list is required"`
	Count    *whole    `json:"count,omitzero" nullable:"true" minimum:"1" maximum:"10000" doc:"The server makes that many codes. Only this answer has them: the server keeps hashes"`
	List     *string   `json:"list,omitzero" nullable:"true" doc:"CSV: one buyer a line in the first column, at most 10000. A buyer is the number, an email, or the SHA-256 of an email in 64 hexadecimal digits. A header may come first. Further columns are ignored"`
	Name     *string   `json:"name,omitzero" nullable:"true" maxLength:"100" doc:"What operators call it"`
	Sizes    *[]label  `json:"sizes,omitzero" nullable:"true" maxItems:"100" doc:"Good for these sizes only. Left out: all sizes"`
	Starts   *instant  `json:"starts,omitzero" nullable:"true" doc:"From when it is good. Left out: from now on"`
	Ends     *instant  `json:"ends,omitzero" nullable:"true" doc:"Until when it is good. Left out: until the drop starts"`
	Uses     *whole    `json:"uses,omitzero" nullable:"true" minimum:"1" maximum:"1000000" default:"1" doc:"How often each code, or each buyer of the list, can use it. A use counts while it is a hold, a purchase or an entry in the draw"`
	PerBuyer *whole    `json:"per_buyer,omitzero" nullable:"true" minimum:"0" maximum:"1000" doc:"Units that one buyer may hold and buy with it. 0 or left out: any number"`
	Units    *whole    `json:"units,omitzero" nullable:"true" minimum:"0" maximum:"10000000" doc:"Units of each of its sizes to keep for it. 0 or left out: none, its buyers take what is on sale"`
}

type endAccessRequest struct {
	Access *whole `json:"access" required:"true" nullable:"false" doc:"The number of the early access"`
}

type (
	accessesAnswer struct {
		Accesses []accessAnswer `json:"accesses" nullable:"false" doc:"In the order of their numbers"`
	}
	accessAnswer struct {
		Access   int      `json:"access" doc:"Its number, from 1"`
		Kind     string   `json:"kind" enum:"codes,list"`
		Name     string   `json:"name,omitzero"`
		Sizes    []string `json:"sizes,omitempty" nullable:"false" doc:"Absent: good for all sizes"`
		Starts   instant  `json:"starts"`
		Ends     instant  `json:"ends"`
		Uses     int      `json:"uses" doc:"How often each of its codes or buyers can use it"`
		PerBuyer int      `json:"per_buyer,omitzero" doc:"Absent: any number"`
		Units    int64    `json:"units,omitzero" doc:"Units of each size that were kept for it. Absent: none"`
		Kept     int64    `json:"kept" doc:"Units that are kept for it now, in all sizes"`
		Passes   uint32   `json:"passes" doc:"How many codes or buyers it has"`
		Used     int64    `json:"used" doc:"How often they are used, in all"`
		State    string   `json:"state" enum:"soon,open,over"`
	}
	oneAccessAnswer struct {
		Access accessAnswer `json:"access"`
	}
	newAccessAnswer struct {
		Access accessAnswer `json:"access"`
		Codes  []string     `json:"codes,omitempty" nullable:"false" doc:"The codes that the server made. No later call shows them, nor does a repeated one"`
	}
	earlyAnswer struct {
		Starts instant `json:"starts" doc:"When the first early access starts"`
		Ends   instant `json:"ends" doc:"When the last one ends"`
		Codes  bool    `json:"codes" doc:"true: there are codes. false: only lists of buyers"`
	}
)

// maxCodesBody bounds the body of a call that adds codes or buyers: 10,000 lines with about 200 bytes each.
const maxCodesBody = 2 << 20

func answerEarly(d *drop.Drop) *earlyAnswer {
	if len(d.Accesses) == 0 {
		return nil
	}
	e := d.Early()
	return &earlyAnswer{instant(e.Starts), instant(e.Ends), e.Codes}
}

// addCodes makes an early access, or adds codes or buyers to one.
func (a *api) addCodes(w http.ResponseWriter, r *http.Request) error {
	id, retry, err := dropAndRetry(w, r)
	if err != nil {
		return err
	}
	var in codesRequest
	if err = readBody(w, r, &in); err != nil {
		return err
	}
	v, err := a.engine.View(r.Context(), id)
	if err != nil {
		return err
	}
	cmd, codes, err := in.command(&v.Drop)
	if err != nil {
		return err
	}
	if v, err = a.engine.AddAccess(r.Context(), id, cmd, retry); err != nil {
		return refuseAccess(err)
	}
	if retry.Replayed != nil && *retry.Replayed {
		codes = nil // the first call made other ones
	}
	number := cmd.To
	if number == 0 {
		number = len(v.Drop.Accesses)
	}
	now := a.engine.Now()
	if cmd.To == 0 && cmd.Terms.Starts == 0 {
		now = max(now, v.Drop.Access(number).Starts) // the store's clock, which may be ahead of what is known here
	}
	made(w, "access", int64(number))
	writeBody(w, http.StatusCreated, encode(&newAccessAnswer{*answerAccess(&v.Drop, number, now), codes}))
	return nil
}

// refuseAccess words the refusals of a new access: the sentences of their codes are about reserving and restocking.
func refuseAccess(err error) error {
	refusal, ok := errors.AsType[*drop.Error](err)
	if !ok {
		return err
	}
	worded := *refusal
	switch refusal.Code {
	case drop.CodeLimitReached:
		worded.Rule = "Drop has as many early accesses as it can have; add codes or buyers to one of them"
	case drop.CodeStockInUse:
		worded.Rule = "Too few units are unsold; keep at most as many of each size as are available"
	default:
		return err
	}
	return &worded
}

// command returns what the body asks for, and the codes that were made for it.
func (in *codesRequest) command(d *drop.Drop) (cmd drop.AddAccess, codes []string, err error) {
	if in.Access != nil {
		if *in.Access < 1 || *in.Access > drop.MaxAccesses {
			return cmd, nil, drop.Refuse(drop.CodeAccessNotFound)
		}
		cmd.To = int(*in.Access)
		err = in.leaveTerms()
	} else {
		cmd.Terms, err = in.terms(d)
	}
	if err != nil {
		return cmd, nil, err
	}
	given := 0
	for _, one := range []bool{in.Codes != nil, in.Count != nil, in.List != nil} {
		if one {
			given++
		}
	}
	switch {
	case given == 0:
		return cmd, nil, drop.Invalid("count", "is required, or codes or list in its place")
	case given > 1:
		return cmd, nil, drop.Invalid("count", "must stand alone: send one of codes, count and list")
	case in.List != nil:
		cmd.Terms.List = true
		cmd.Passes, cmd.Terms.Emails, err = readBuyers(*in.List)
		return cmd, nil, err
	case in.Codes != nil:
		cmd.Passes, err = hashCodes(d.ID, *in.Codes)
		return cmd, nil, err
	}
	if *in.Count < 1 || *in.Count > drop.MaxNewPasses {
		return cmd, nil, drop.Invalid("count", fmt.Sprintf("must be from 1 to %d", drop.MaxNewPasses))
	}
	codes = make([]string, *in.Count)
	cmd.Made, cmd.Passes = true, make([]drop.Hash, len(codes))
	for i := range codes {
		codes[i] = newCode()
		cmd.Passes[i] = drop.HashCode(d.ID, codes[i])
	}
	return cmd, codes, nil
}

// leaveTerms refuses terms with more codes or buyers for an access that has its own.
func (in *codesRequest) leaveTerms() error {
	for _, term := range []struct {
		name  string
		given bool
	}{
		{"name", in.Name != nil},
		{"sizes", in.Sizes != nil},
		{"starts", in.Starts != nil},
		{"ends", in.Ends != nil},
		{"uses", in.Uses != nil},
		{"per_buyer", in.PerBuyer != nil},
		{"units", in.Units != nil},
	} {
		if term.given {
			return drop.Invalid(term.name, "must be left out with access, which keeps its terms")
		}
	}
	return nil
}

// terms translates the terms of a new access. The domain checks their values.
func (in *codesRequest) terms(d *drop.Drop) (x drop.Access, err error) {
	const longestAgo = 1 // ms; to the domain, 0 stands for no end
	x = drop.Access{
		Name: optional(in.Name), Starts: drop.Time(optional(in.Starts)), Ends: drop.Time(optional(in.Ends)),
		Uses: 1, PerBuyer: int(optional(in.PerBuyer)), Units: int64(optional(in.Units)),
	}
	if in.Ends != nil && x.Ends == 0 {
		x.Ends = longestAgo
	}
	if in.Uses != nil {
		x.Uses = int(*in.Uses)
	}
	if in.Sizes == nil {
		return x, nil
	}
	if len(*in.Sizes) == 0 || len(*in.Sizes) > drop.MaxSizes {
		return x, drop.Invalid("sizes", fmt.Sprintf("must have 1 to %d entries; leave it out for all sizes", drop.MaxSizes))
	}
	labels := make([]string, len(*in.Sizes))
	for i, size := range *in.Sizes {
		if size == "" {
			return x, drop.Invalid("sizes["+strconv.Itoa(i)+"]", "must not be empty")
		}
		labels[i] = string(size)
	}
	places, refusal := d.Places("sizes", labels)
	if refusal != nil {
		return x, refusal
	}
	x.Sizes = places
	return x, nil
}

// hashCodes checks a shop's own codes. No error repeats a code.
func hashCodes(id drop.ID, codes []string) ([]drop.Hash, error) {
	if len(codes) > drop.MaxNewPasses {
		return nil, drop.Invalid("codes", fmt.Sprintf("must have 1 to %d entries", drop.MaxNewPasses))
	}
	hashes := make([]drop.Hash, len(codes))
	for i, code := range codes {
		if err := drop.CheckCode("codes["+strconv.Itoa(i)+"]", code); err != nil {
			return nil, err
		}
		hashes[i] = drop.HashCode(id, code)
	}
	return hashes, nil
}

// newCode returns a code of 60 random bits, in letters and digits that people do not confuse.
func newCode() string {
	const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ" // Crockford's base32
	var b [12]byte
	rand.Read(b[:])
	for i := range b {
		b[i] = letters[b[i]%32]
	}
	return string(b[:4]) + "-" + string(b[4:8]) + "-" + string(b[8:])
}

func (a *api) listCodes(w http.ResponseWriter, r *http.Request) error {
	id, err := dropOf(w, r)
	if err != nil {
		return err
	}
	v, err := a.engine.View(r.Context(), id)
	if err != nil {
		return err
	}
	answer, now := accessesAnswer{Accesses: make([]accessAnswer, len(v.Drop.Accesses))}, a.engine.Now()
	for i := range answer.Accesses {
		answer.Accesses[i] = *answerAccess(&v.Drop, i+1, now)
	}
	writeJSON(w, &answer)
	return nil
}

func (a *api) endCodes(w http.ResponseWriter, r *http.Request) error {
	id, retry, err := dropAndRetry(w, r)
	if err != nil {
		return err
	}
	var in endAccessRequest
	if err = readBody(w, r, &in); err != nil {
		return err
	}
	number, err := required("access", in.Access)
	if err != nil {
		return err
	}
	if number < 1 || number > drop.MaxAccesses {
		if _, err = a.engine.View(r.Context(), id); err != nil {
			return err
		}
		return drop.Refuse(drop.CodeAccessNotFound)
	}
	v, err := a.engine.EndAccess(r.Context(), id, int(number), retry)
	if err != nil {
		return err
	}
	ended := v.Drop.End(v.Drop.Access(int(number))) // by the store's clock, which may be ahead of what is known here
	writeJSON(w, &oneAccessAnswer{*answerAccess(&v.Drop, int(number), max(a.engine.Now(), ended))})
	return nil
}

func answerAccess(d *drop.Drop, number int, now drop.Time) *accessAnswer {
	x := d.Access(number)
	answer := &accessAnswer{
		Access: number, Kind: "codes", Name: x.Name, Starts: instant(x.Starts), Ends: instant(d.End(x)), Uses: x.Uses, PerBuyer: x.PerBuyer,
		Units: x.Units, Passes: x.Passes, Used: x.Used, State: "open",
	}
	if x.List {
		answer.Kind = "list"
	}
	for _, size := range x.Sizes {
		answer.Sizes = append(answer.Sizes, d.Sizes[size].Label)
	}
	for _, n := range x.Kept {
		answer.Kept += n
	}
	switch {
	case now >= d.End(x):
		answer.State = "over"
	case now < x.Starts:
		answer.State = "soon"
	}
	return answer
}

// codesDetail is the entry in the operators' log for a call that adds codes or buyers: its terms, and how many. Codes
// are secrets, and buyers do not belong in a log that nobody can delete from.
func codesDetail(r *http.Request) string {
	var in codesRequest
	if decode(readAhead(r, maxCodesBody), &in) != nil {
		return "not well-formed"
	}
	terms := in
	terms.Codes, terms.List = nil, nil
	return operator.Detail(encode(&struct {
		codesRequest

		Codes int `json:"codes,omitzero"`
		Lines int `json:"lines,omitzero"`
	}{terms, len(optional(in.Codes)), lines(optional(in.List))}))
}

// lines returns how many lines a text has.
func lines(text string) int {
	if text == "" {
		return 0
	}
	return strings.Count(strings.TrimSuffix(text, "\n"), "\n") + 1
}

// Limits on codes that buyers try.
const (
	maxShownCode  = 100 // characters
	maxWrongCodes = 10  // of one address or one signed-in buyer
	wrongWithin   = time.Minute
	codeClass     = limit.Class("code")
)

// showing makes a buyer's call that may show a code. Calls that show one are refused for a while once the caller has
// shown too many that are not good. A code that is too long, or odd, is as wrong as any other.
func (a *api) showing(w http.ResponseWriter, r *http.Request, code *string, do func(code string) error) error {
	shown := optional(code)
	switch {
	case shown == "":
		return do("")
	case utf8.RuneCountInString(shown) > maxShownCode:
		shown = "!" // no code has it
	}
	return a.limits.guess(w, r, func() error { return do(shown) })
}
