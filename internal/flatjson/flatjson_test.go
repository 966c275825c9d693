package flatjson

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
)

func TestParse_ReadsWhatProgramsWrite(t *testing.T) {
	members, ok := Parse(`{"dropId":7,"userName": "nika", "a":true,"b":false,"n":999999999999999,"z":0,"e":""}`, nil)
	if !ok || len(members) != 7 {
		t.Fatalf("got %v, %t", members, ok)
	}
	if n, ok := members[0].Digits(); members[0].Name != "dropId" || n != 7 || !ok {
		t.Errorf("dropId is %v", members[0])
	}
	if text, ok := members[1].Text(); members[1].Name != "userName" || text != "nika" || !ok {
		t.Errorf("userName is %v", members[1])
	}
	if _, ok := members[2].Text(); ok {
		t.Error("true is a string")
	}
	if _, ok := members[2].Digits(); ok {
		t.Error("true is a number")
	}
	if empty, ok := Parse(`{}`, members[:0]); !ok || len(empty) != 0 {
		t.Errorf("{} has %v", empty)
	}
}

func TestParse_SaysNoToEverythingElse(t *testing.T) {
	for _, text := range []string{
		``, `{`, `}`, `[]`, `7`, `null`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{"a":1}x`, `{"a":1} `, ` {"a":1}`, `{ "a":1}`, `{"a" :1}`, `{"a":1 }`,
		`{"a":  1}`, `{"a":1,"a":2}`, `{"a":"x\n"}`, `{"a":"x` + "\n" + `"}`, `{"a":"é"}`, `{"\u0061":1}`, `{"a":-1}`, `{"a":1.5}`, `{"a":1e3}`,
		`{"a":01}`, `{"a":1234567890123456}`, `{"a":null}`, `{"a":{}}`, `{"a":[]}`, `{"a":truex}`, `{"a":tru}`, `{a:1}`, `{"a":"`, `{"a":1,"b"`,
		"{" + strings.TrimSuffix(strings.Repeat(`"x":1,`, 1), ",") + "}}", manyMembers(most + 1),
	} {
		if members, ok := Parse(text, nil); ok {
			t.Errorf("%q has %v", text, members)
		}
	}
	if _, ok := Parse(manyMembers(most), make([]Member, 3)); !ok {
		t.Errorf("%d members are too many", most)
	}
}

func manyMembers(n int) string {
	var parts []string
	for i := range n {
		parts = append(parts, strconv.Quote("m"+strconv.Itoa(i))+":1")
	}
	return "{" + strings.Join(parts, ",") + "}"
}

// Every flat object means the same to the standard library.
func FuzzParse(f *testing.F) {
	f.Add(`{"dropId":7,"userName": "nika", "a":true}`)
	f.Add(`{}`)
	f.Fuzz(func(t *testing.T, text string) {
		members, ok := Parse(text, nil)
		if !ok {
			return
		}
		var all map[string]json.RawMessage
		if err := json.Unmarshal([]byte(text), &all); err != nil {
			t.Fatalf("%q is flat, and no JSON: %v", text, err)
		}
		if len(all) != len(members) {
			t.Fatalf("%q has %d members, not %v", text, len(all), members)
		}
		for _, m := range members {
			if string(all[m.Name]) != m.Value {
				t.Fatalf("%q: %s is %s, not %s", text, m.Name, all[m.Name], m.Value)
			}
			if n, ok := m.Digits(); ok && strconv.FormatInt(n, 10) != m.Value {
				t.Fatalf("%q: %s is %s, not %d", text, m.Name, m.Value, n)
			}
			var s string
			if got, ok := m.Text(); ok && (json.Unmarshal(all[m.Name], &s) != nil || s != got) {
				t.Fatalf("%q: %s is %q, not %q", text, m.Name, s, got)
			}
		}
	})
}
