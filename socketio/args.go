package socketio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// Args are the arguments of an event or of an acknowledgement.
type Args []Arg

// An Arg is one argument as it arrived. Emit sends it on unchanged, binary data included.
type Arg struct {
	json  jsontext.Value
	files [][]byte // the attachments of the packet, all of them
}

// JSON is the argument's text. Binary data is in it as {"_placeholder":true,"num":0}.
func (a Arg) JSON() []byte { return a.json }

// Decode fills v as encoding/json does, except that a []byte, at any depth, takes binary data. Into an any, a
// map[string]any or a []any, binary data comes as []byte.
func (a Arg) Decode(v any) error {
	if len(a.files) == 0 {
		return json.Unmarshal(a.json, v, decodeOptions)
	}
	err := json.Unmarshal(a.json, v, decodeOptions, json.WithUnmarshalers(json.UnmarshalFromFunc(
		func(dec *jsontext.Decoder, b *[]byte) error {
			if dec.PeekKind() != '{' {
				return errors.ErrUnsupported
			}
			value, err := dec.ReadValue()
			if err != nil {
				return err
			}
			return a.file(value, b)
		})))
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case *any:
		*v = a.fill(*v)
	case *map[string]any:
		a.fill(*v)
	case *[]any:
		a.fill(*v)
	}
	return nil
}

func (a Arg) file(value jsontext.Value, b *[]byte) error {
	return mapPlaceholders(value, io.Discard, func(n int) (jsontext.Value, error) {
		if n >= len(a.files) {
			return nil, errPlaceholder
		}
		*b = a.files[n]
		return jsontext.Value("null"), nil
	})
}

// fill puts binary data in the place of what stands for it in a decoded value.
func (a Arg) fill(v any) any {
	switch v := v.(type) {
	case map[string]any:
		// Only where _placeholder comes first was the number checked when it came in.
		if n, ok := v["num"].(float64); ok && v["_placeholder"] == true && n >= 0 && n < float64(len(a.files)) {
			return a.files[int(n)]
		}
		for key, member := range v {
			v[key] = a.fill(member)
		}
	case []any:
		for i, element := range v {
			v[i] = a.fill(element)
		}
	}
	return v
}

var (
	// The program's types are written for encoding/json, so they are encoded and decoded by its rules.
	encodeOptions = json.JoinOptions(jsonv1.DefaultOptionsV1(), jsontext.EscapeForHTML(false))
	decodeOptions = json.JoinOptions(jsonv1.DefaultOptionsV1(), lenient)
	lenient       = json.JoinOptions(jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) // as JSON.parse

	errPlaceholder = errors.New("invalid placeholder of an attachment")
)

// encodeArgs encodes an array; every []byte in it becomes an attachment.
func encodeArgs(args []any) (data []byte, files [][]byte, err error) {
	attach := func(enc *jsontext.Encoder, b []byte) error {
		files = append(files, b)
		return enc.WriteValue(placeholder(len(files) - 1))
	}
	forward := func(enc *jsontext.Encoder, a Arg) error {
		if len(a.files) == 0 {
			return enc.WriteValue(a.json)
		}
		var out bytes.Buffer
		err := mapPlaceholders(a.json, &out, func(n int) (jsontext.Value, error) {
			files = append(files, a.files[n]) // checked when it came in
			return placeholder(len(files) - 1), nil
		})
		if err != nil {
			return err
		}
		return enc.WriteValue(bytes.TrimSpace(out.Bytes()))
	}
	if args == nil {
		args = []any{}
	}
	data, err = json.Marshal(args, encodeOptions,
		json.WithMarshalers(json.JoinMarshalers(json.MarshalToFunc(forward), json.MarshalToFunc(attach))))
	return data, files, err
}

func placeholder(n int) jsontext.Value {
	return append(strconv.AppendInt([]byte(`{"_placeholder":true,"num":`), int64(n), 10), '}')
}

// splitArgs takes the array of a packet apart, and checks that each placeholder in it has its attachment.
func splitArgs(data []byte, files [][]byte) (Args, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(data), lenient)
	if token, err := dec.ReadToken(); err != nil || token.Kind() != '[' {
		return nil, fmt.Errorf("%w: no array", errPacket)
	}
	args := Args{}
	for dec.PeekKind() != ']' {
		value, err := dec.ReadValue()
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errPacket, err)
		}
		args = append(args, Arg{value.Clone(), files})
	}
	if _, err := dec.ReadToken(); err != nil {
		return nil, fmt.Errorf("%w: %w", errPacket, err)
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: something after the array", errPacket)
	}
	if len(files) == 0 {
		return args, nil
	}
	err := mapPlaceholders(data, io.Discard, func(n int) (jsontext.Value, error) {
		if n >= len(files) {
			return nil, errPlaceholder
		}
		return jsontext.Value("null"), nil
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPacket, err)
	}
	return args, nil
}

// mapPlaceholders copies a value and gives each placeholder in it to replace. It goes token by token: what a client
// nests deeply costs no more than what it sends flat.
func mapPlaceholders(value []byte, w io.Writer, replace func(n int) (jsontext.Value, error)) error {
	dec, enc := jsontext.NewDecoder(bytes.NewReader(value), lenient), jsontext.NewEncoder(w, lenient)
	for {
		token, err := dec.ReadToken()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if token.Kind() != '{' {
			if err := enc.WriteToken(token); err != nil {
				return err
			}
			continue
		}
		if err := copyObjectStart(dec, enc, replace); err != nil {
			return err
		}
	}
}

// copyObjectStart stands behind an opening brace: of a placeholder, which it replaces whole, or of another object, of
// which it copies no more than the first name.
func copyObjectStart(dec *jsontext.Decoder, enc *jsontext.Encoder, replace func(n int) (jsontext.Value, error)) error {
	if dec.PeekKind() != '"' {
		return enc.WriteToken(jsontext.BeginObject)
	}
	name, err := dec.ReadToken()
	if err != nil {
		return err
	}
	if name.String() != "_placeholder" {
		name = name.Clone()
		return errors.Join(enc.WriteToken(jsontext.BeginObject), enc.WriteToken(name))
	}
	n, err := placeholderNumber(dec)
	if err != nil {
		return err
	}
	replacement, err := replace(n)
	if err != nil {
		return err
	}
	return enc.WriteValue(replacement)
}

func placeholderNumber(dec *jsontext.Decoder) (int, error) {
	if token, err := dec.ReadToken(); err != nil || token.Kind() != 't' {
		return 0, errPlaceholder
	}
	if token, err := dec.ReadToken(); err != nil || token.Kind() != '"' || token.String() != "num" {
		return 0, errPlaceholder
	}
	number, err := dec.ReadValue()
	if err != nil {
		return 0, errPlaceholder
	}
	n, err := strconv.Atoi(string(number))
	if err != nil || n < 0 {
		return 0, errPlaceholder
	}
	if token, err := dec.ReadToken(); err != nil || token.Kind() != '}' {
		return 0, errPlaceholder
	}
	return n, nil
}
