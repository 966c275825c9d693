package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
	"sneakerdrop/internal/flatjson"
)

const (
	maxBody  = 64 << 10
	maxDepth = 32 // nesting of a body; our own bodies need 3
)

// readBody decodes a request's body into the struct that to points to. Its fields are pointers, which stay nil if the
// caller sends null or nothing. Unknown members are ignored, as the original does.
func readBody(w http.ResponseWriter, r *http.Request, to any) error {
	if err := checkMedia(r.Header); err != nil {
		return err
	}
	body, err := bodyOf(w, r)
	if err != nil {
		return err
	}
	if q, ok := to.(flatReader); ok && readFlat(body, q) {
		return nil
	}
	return decode(body, to)
}

// flatReader is a body that crowds send. It is read without a decoder if it is written the way programs write it.
type flatReader interface {
	// readMember reads a member, or returns false if its value may be wrong. It ignores unknown members.
	readMember(m flatjson.Member) bool
}

// readFlat reads a flat body. If it returns false, decode must read the body or find what is wrong with it.
func readFlat(body []byte, to flatReader) bool {
	var room [8]flatjson.Member
	members, ok := flatjson.Parse(string(body), room[:0])
	for i := range members {
		ok = ok && to.readMember(members[i])
	}
	return ok
}

func readDigits(m flatjson.Member, to **whole) bool {
	n, ok := m.Digits()
	if ok {
		*to = new(whole(n))
	}
	return ok
}

func readText[T ~string](m flatjson.Member, to **T) bool {
	text, ok := m.Text()
	if ok {
		*to = new(T(text))
	}
	return ok
}

// readNoBody reads the body of a call that needs none: nothing at all, or a JSON object whose members are ignored. It
// refuses the types that an HTML form sends even if the body is empty, because any page can make a browser send a
// form.
func readNoBody(w http.ResponseWriter, r *http.Request) error {
	return readOptionalBody(w, r, new(emptyRequest))
}

// readOptionalBody is readBody of a body that may be missing.
func readOptionalBody(w http.ResponseWriter, r *http.Request, to any) error {
	body, err := bodyOf(w, r)
	if err != nil {
		return err
	}
	if len(body) == 0 && !isForm(r.Header) {
		return nil
	}
	if err := checkMedia(r.Header); err != nil {
		return err
	}
	return decode(body, to)
}

func bodyOf(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	body, err := bytesOf(w, r)
	if err != nil {
		return nil, err
	}
	return withoutMark(body)
}

func bytesOf(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	most := w.(*recorder).maxBody // serve has set maxBody
	if r.ContentLength > most {
		w.Header().Set("Connection", "close") // the rest is not worth reading
		return nil, tooLarge(most)
	}
	if r.ContentLength >= 0 { // the server's own limit was reached
		body := make([]byte, r.ContentLength)
		if _, err := io.ReadFull(r.Body, body); err != nil {
			return nil, drop.Refuse(codeBadJSON) // the body was cut off
		}
		return body, nil
	}
	var body bytes.Buffer
	if _, err := body.ReadFrom(http.MaxBytesReader(w, r.Body, most)); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return nil, tooLarge(most)
		}
		return nil, drop.Refuse(codeBadJSON) // the body was cut off
	}
	return body.Bytes(), nil
}

// tooLarge returns the refusal of a body with more bytes than that.
func tooLarge(most int64) error {
	if most == maxBody {
		return drop.Refuse(codeTooLarge)
	}
	return &drop.Error{Code: codeTooLarge, Rule: fmt.Sprintf("Body is too large; send at most %d KiB", most>>10)}
}

// isForm reports whether a request has one of the types that an HTML form can send.
func isForm(h http.Header) bool {
	for _, given := range h["Content-Type"] {
		switch strings.ToLower(essence(given)) { // ignore parameters, because browsers accept more than package mime does
		case "application/x-www-form-urlencoded", "multipart/form-data", "text/plain":
			return true
		}
	}
	return false
}

// checkMedia accepts only uncompressed application/json. The refusal names the faulty header.
func checkMedia(h http.Header) error {
	for _, line := range h["Content-Encoding"] {
		for coding := range strings.SplitSeq(line, ",") {
			if coding = strings.TrimSpace(coding); coding != "" && !strings.EqualFold(coding, "identity") {
				return wrongMedia("Content-Encoding", "must be identity or left out; send the body uncompressed")
			}
		}
	}
	switch types := h["Content-Type"]; {
	case len(types) == 1 && types[0] == "application/json":
		return nil
	case len(types) == 0:
		return wrongMedia("Content-Type", "is missing; send the body as JSON with Content-Type: application/json")
	case len(types) > 1:
		return wrongMedia("Content-Type", "must be sent once; send the body as JSON with Content-Type: application/json")
	}
	given := h["Content-Type"][0]
	if !strings.EqualFold(essence(given), "application/json") {
		return wrongMedia("Content-Type", "must be application/json; send the body as JSON")
	}
	_, params, err := mime.ParseMediaType(withoutEmpty(given))
	if err != nil {
		return wrongMedia("Content-Type", "has parameters that cannot be read; send the body in UTF-8 with Content-Type: application/json")
	}
	if charset, given := params["charset"]; given && !isUTF8(charset) {
		return wrongMedia("Content-Type", "names a charset other than UTF-8; send the body in UTF-8 with Content-Type: application/json")
	}
	return nil
}

// essence returns a media type without its parameters.
func essence(media string) string {
	media, _, _ = strings.Cut(media, ";")
	return strings.TrimSpace(media)
}

// withoutEmpty leaves out the empty parameters of a media type, which RFC 9110, 5.6.6 allows and package mime does not.
func withoutEmpty(media string) string {
	var b strings.Builder
	quoted, begun := false, true // something follows the last semicolon
	for i := range len(media) {
		switch c := media[i]; {
		case c == ';' && !quoted && !begun:
			continue
		case c == ';' && !quoted:
			begun = false
		case c == '"' && (i == 0 || media[i-1] != '\\'):
			quoted, begun = !quoted, true
		case c != ' ' && c != '\t':
			begun = true
		}
		b.WriteByte(media[i])
	}
	return b.String()
}

func wrongMedia(header, rule string) error {
	return &drop.Error{Code: codeMediaType, Field: header, Rule: rule}
}

// isUTF8 reports whether text in the named charset is UTF-8. It knows the WHATWG Encoding Standard's names for UTF-8
// and IANA's names for ASCII.
func isUTF8(charset string) bool {
	switch strings.ToLower(strings.Trim(charset, " '")) {
	case "", "utf-8", "utf8", "unicode-1-1-utf-8", "unicode11utf8", "unicode20utf8", "x-unicode20utf8", "csutf8",
		"us-ascii", "ascii", "us", "ansi_x3.4-1968", "ansi_x3.4-1986", "iso646-us", "iso_646.irv:1991", "iso-ir-6", "ibm367", "cp367", "csascii":
		return true
	default:
		return false
	}
}

// withoutMark removes a byte order mark from a body, as RFC 8259, 8.1 allows, and refuses other encodings.
func withoutMark(body []byte) ([]byte, error) {
	if len(body) < 2 || body[0] == '{' && body[1] != 0 {
		return body, nil
	}
	if text, marked := bytes.CutPrefix(body, []byte("\xef\xbb\xbf")); marked {
		return text, nil
	}
	if body[0] == 0 || body[1] == 0 || body[0] == 0xfe && body[1] == 0xff || body[0] == 0xff && body[1] == 0xfe {
		return nil, &drop.Error{Code: codeBadJSON, Rule: "Body is in UTF-16 or UTF-32; send one JSON object in UTF-8"}
	}
	return body, nil
}

// decode checks the syntax of the whole text before it looks at any value, so that it never reports invalid JSON as a
// wrong value.
func decode(body []byte, to any) error {
	if err := checkSyntax(body); err != nil {
		return drop.Refuse(codeBadJSON)
	}
	err := json.Unmarshal(body, to)
	if err == nil {
		return nil
	}
	wrong, ok := errors.AsType[*json.SemanticError](err)
	if !ok {
		return drop.Refuse(codeBadJSON)
	}
	if rule, ok := errors.AsType[ruleError](err); ok {
		return drop.Invalid(fieldPath(wrong.JSONPointer), string(rule))
	}
	return drop.Invalid(fieldPath(wrong.JSONPointer), ruleOfType(wrong.GoType))
}

var errNotObject = errors.New("not an object")

// checkSyntax accepts one JSON object: valid UTF-8, no duplicate names, nothing after it, and no deeper than
// maxDepth.
func checkSyntax(body []byte) error {
	d := jsontext.NewDecoder(bytes.NewBuffer(body))
	if d.PeekKind() != '{' {
		return errNotObject
	}
	for {
		if _, err := d.ReadToken(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if d.StackDepth() > maxDepth {
			return errors.New("nested too deeply")
		}
		if d.StackDepth() == 0 && d.PeekKind() != 0 {
			return errors.New("more than one value")
		}
	}
}

// ruleError is the rest of a sentence that begins with the field: "must be a whole number".
type ruleError string

func (e ruleError) Error() string { return string(e) }

func ruleOfType(t reflect.Type) string {
	if t != nil {
		switch t.Kind() {
		case reflect.Slice:
			return "must be an array"
		case reflect.Struct:
			return "must be an object"
		case reflect.Bool:
			return "must be true or false"
		default:
		}
	}
	return "must be a string"
}

// fieldPath writes /sizes/1/stock as sizes[1].stock.
func fieldPath(p jsontext.Pointer) string {
	var path strings.Builder
	for token := range p.Tokens() {
		switch _, err := strconv.Atoi(token); {
		case err == nil:
			path.WriteString("[" + token + "]")
		case path.Len() > 0:
			path.WriteString("." + token)
		default:
			path.WriteString(token)
		}
	}
	return path.String()
}

// required returns the value of a required field. Null counts as absent.
func required[T any](field string, v *T) (T, error) {
	if v == nil {
		var zero T
		return zero, drop.Invalid(field, "is required")
	}
	return *v, nil
}

// optional returns the value, or the zero value if there is none.
func optional[T any](v *T) T {
	if v == nil {
		var zero T
		return zero
	}
	return *v
}

// pathNumber reads {id}. A whole number that cannot be an id becomes one that does not exist: 0 or less, or too
// large.
func pathNumber(r *http.Request) (int64, error) {
	s := r.PathValue("id")
	digits := strings.TrimPrefix(s, "-")
	if !isDigits(digits) {
		return 0, drop.Invalid("id", "must be a whole number")
	}
	n, _ := strconv.ParseInt(s, 10, 64) // beyond int64 it becomes the nearest end
	return n, nil
}

const (
	keyHeader      = "Idempotency-Key"
	replayedHeader = "Idempotent-Replayed"
)

// asked reads the body of a call, and the key under which the caller may repeat it.
func asked[T any](w http.ResponseWriter, r *http.Request) (in T, retry engine.Retry, err error) {
	if retry, err = readRetry(w, r); err == nil {
		err = readBody(w, r, &in)
	}
	return in, retry, err
}

// readRetry reads the key under which the caller may repeat the call. Without identity, all callers count as one.
func readRetry(w http.ResponseWriter, r *http.Request) (engine.Retry, error) {
	given := r.Header[keyHeader]
	switch len(given) {
	case 0:
		return engine.Retry{Rehearsal: &w.(*recorder).rehearsal}, nil
	case 1:
		rec := w.(*recorder)
		return engine.Retry{Caller: rec.caller.name(), Key: given[0], Replayed: &rec.replayed, Rehearsal: &rec.rehearsal}, drop.CheckKey(given[0])
	default:
		return engine.Retry{}, drop.Invalid(keyHeader, "must be sent once")
	}
}

// isDigits accepts only one spelling of a number: no sign, no leading zero, and no digits of other scripts.
func isDigits(s string) bool {
	if s == "" || len(s) > 1 && s[0] == '0' {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
