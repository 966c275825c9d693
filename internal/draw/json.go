package draw

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Encode returns the one encoding of the record: JSON on one line that ends with a line feed. It returns an error if
// a text is not UTF-8 or a time out of range.
func (r *Record) Encode() ([]byte, error) { return encode(r) }

// Write writes what Encode returns, piece by piece, and so without a second copy of it in memory. It returns Encode's
// errors and those of w.
func (r *Record) Write(w io.Writer) error {
	if err := json.MarshalWrite(w, r); err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// Parse reads what Encode wrote. It returns an error that names the field if anything is missing, unknown, there twice
// or in another order or form. A record larger than MaxBytes is an error too. It does not check the draw: Verify does.
func Parse(data []byte) (*Record, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("the record has %d bytes, and may have %d", len(data), MaxBytes)
	}
	r := new(Record)
	if err := parse("record", data, r); err != nil {
		return nil, err
	}
	return r, nil
}

func encode(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return append(b, '\n'), nil
}

// parse reads data into v. There is one way to write each value, so it encodes v again and compares.
func parse(what string, data []byte, v any) error {
	if err := json.Unmarshal(data, v, json.RejectUnknownMembers(true), json.WithUnmarshalers(bounds())); err != nil {
		return misread(what, err)
	}
	canonical, err := encode(v)
	if err != nil {
		return fmt.Errorf("the %s: %w", what, err)
	}
	if bytes.Equal(data, canonical) {
		return nil
	}
	same := 0
	for same < len(data) && same < len(canonical) && data[same] == canonical[same] {
		same++
	}
	fault := "the " + what + " is not"
	if p := fieldAt(canonical, same); p != "" {
		fault = where(p) + ": is missing, or not"
	}
	return fmt.Errorf("%s written as the format demands, from byte %d on; take the file as the server sent it", fault, same+1)
}

// bounds keeps a file of many tiny values from taking much more memory than its own size.
func bounds() *json.Unmarshalers {
	return json.JoinUnmarshalers(
		atMost[Entry](MaxEntries), atMost[Winner](MaxEntries), atMost[EntryID](MaxEntries),
		atMost[Stock](MaxSizes), atMost[int](MaxSizes), atMost[string](MaxSizes),
	)
}

// atMost reads lists of so many values.
func atMost[T any](most int) *json.Unmarshalers {
	return json.UnmarshalFromFunc(func(d *jsontext.Decoder, list *[]T) error {
		if d.PeekKind() != '[' {
			return errors.ErrUnsupported
		}
		if _, err := d.ReadToken(); err != nil {
			return err
		}
		for d.PeekKind() != ']' {
			if len(*list) == most {
				return fmt.Errorf("must have at most %d values", most)
			}
			var value T
			if err := json.UnmarshalDecode(d, &value); err != nil {
				return err
			}
			*list = append(*list, value)
		}
		_, err := d.ReadToken()
		return err
	})
}

// fieldAt is the field that has the byte with this index, or to which it leads.
func fieldAt(text []byte, index int) jsontext.Pointer {
	d := jsontext.NewDecoder(bytes.NewReader(text))
	for {
		if _, err := d.ReadToken(); err != nil {
			return ""
		}
		if d.InputOffset() > int64(index) {
			return d.StackPointer()
		}
	}
}

// misread says what JSON could not be read, without repeating any value.
func misread(what string, err error) error {
	if e, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		if errors.Is(e, jsontext.ErrDuplicateName) {
			return fmt.Errorf("%s: is there twice", where(e.JSONPointer))
		}
		return fmt.Errorf("the %s cannot be read from byte %d on: it is no JSON", what, e.ByteOffset+1)
	}
	e, ok := errors.AsType[*json.SemanticError](err)
	if !ok {
		return fmt.Errorf("the %s cannot be read", what)
	}
	reason := "has a value of the wrong kind"
	switch {
	case errors.Is(e, json.ErrUnknownName):
		reason = "is no field of the format"
	case e.Err != nil && strings.HasPrefix(e.Err.Error(), "must "): // ours
		reason = e.Err.Error()
	}
	if e.JSONPointer == "" {
		return fmt.Errorf("the %s %s", what, reason)
	}
	return fmt.Errorf("%s: %s", where(e.JSONPointer), reason)
}

// where names a place in a record for people: entry 17: hash. What a file has in place of our names may be anything, so
// it is shortened, and control characters are escaped.
func where(p jsontext.Pointer) string {
	one := map[string]string{"entries": "entry", "winners": "winner", "runners_up": "runner-up", "stock": "stock"}
	var parts []string
	for token := range p.Tokens() {
		quoted := strconv.QuoteToASCII(token)
		parts = append(parts, quoted[1:min(len(quoted)-1, 1+40)])
	}
	if len(parts) >= 2 {
		if n, err := strconv.Atoi(parts[1]); err == nil && one[parts[0]] != "" {
			return strings.Join(append([]string{fmt.Sprintf("%s %d", one[parts[0]], n+1)}, parts[2:]...), ": ")
		}
	}
	return strings.Join(parts, ".")
}
