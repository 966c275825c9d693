package socketio

import (
	"reflect"
	"testing"
)

func TestDecodePacket(t *testing.T) {
	for text, want := range map[string]packet{
		`0`:                      {kind: '0', namespace: "/", id: noID},
		`0{"token":"123"}`:       {kind: '0', namespace: "/", id: noID, data: []byte(`{"token":"123"}`)},
		`0/admin`:                {kind: '0', namespace: "/admin", id: noID},
		`0/admin,`:               {kind: '0', namespace: "/admin", id: noID},
		`0/admin,{}`:             {kind: '0', namespace: "/admin", id: noID, data: []byte(`{}`)},
		`1/admin,`:               {kind: '1', namespace: "/admin", id: noID},
		`2["a"]`:                 {kind: '2', namespace: "/", id: noID, data: []byte(`["a"]`)},
		`213["a"]`:               {kind: '2', namespace: "/", id: 13, data: []byte(`["a"]`)},
		`2/x,0["a"]`:             {kind: '2', namespace: "/x", id: 0, data: []byte(`["a"]`)},
		`3456[]`:                 {kind: '3', namespace: "/", id: 456, data: []byte(`[]`)},
		`51-["a",{}]`:            {kind: '2', namespace: "/", id: noID, attachments: 1, data: []byte(`["a",{}]`)},
		`52-/x,789["a"]`:         {kind: '2', namespace: "/x", id: 789, attachments: 2, data: []byte(`["a"]`)},
		`61-7[1]`:                {kind: '3', namespace: "/", id: 7, attachments: 1, data: []byte(`[1]`)},
		`29007199254740991["a"]`: {kind: '2', namespace: "/", id: 1<<53 - 1, data: []byte(`["a"]`)},
	} {
		got, err := decodePacket([]byte(text), 10)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{
		``, `7`, `abc`, `2`, `2{}`, `2"a"`, `2abc["a"]`, `0[]`, `0"x"`, `0{`, `1{}`, `1/x,[]`, `3["a"]`, `3`, `4{}`, `4"no"`,
		`5["a"]`, `50-["a"]`, `5-["a"]`, `5-1-["a"]`, `511-["a"]`, `51`, `51["a"]`, `61-["a"]`, `2/x`, `2/x,`,
		`299999999999999999999["a"]`, `5999999999999999999999-["a"]`,
	} {
		if got, err := decodePacket([]byte(text), 10); err == nil {
			t.Errorf("%s: %+v", text, got)
		}
	}
}

func TestSplitArgs_Invalid(t *testing.T) {
	for _, text := range []string{
		`[`, `["a"`, `["a",]`, `["a"]x`, `["a"] []`, `{}`, `[,]`, `["a" "b"]`,
		`[{"_placeholder":true,"num":1}]`, `[{"_placeholder":true,"num":-1}]`, `[{"_placeholder":true,"num":"0"}]`,
		`[{"_placeholder":true}]`, `[{"_placeholder":true,"num":0,"x":1}]`, `[{"_placeholder":false,"num":0}]`,
	} {
		if args, err := splitArgs([]byte(text), [][]byte{{1}}); err == nil {
			t.Errorf("%s: %v", text, args)
		}
	}
}

// FuzzDecodePacket: what is accepted and written again is read as the same.
func FuzzDecodePacket(f *testing.F) {
	for _, seed := range []string{
		`0`, `0/admin,{"a":1}`, `1`, `2["a",1,"2",{"3":[true]}]`, `212["a"]`, `3456[]`, `52-/x,7["a",{"_placeholder":true,"num":0}]`,
		`2/,["a"]`, `2["\ud800"]`, `4{}`, `51-["a"]`, `2/a/b?c=d,["x"]`, `2[["a"]]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := decodePacket(text, 10)
		if err != nil {
			return
		}
		if p.kind == typeEvent || p.kind == typeAck {
			files := make([][]byte, p.attachments)
			args, err := splitArgs(p.data, files)
			if err != nil {
				return
			}
			list := make([]any, len(args))
			for i, a := range args {
				list[i] = a
			}
			data, _, err := encodeArgs(list)
			if err != nil {
				return // JSON.parse takes what is not quite Unicode; nothing says so to others
			}
			again, err := splitArgs(data, files)
			if err != nil || len(again) != len(args) {
				t.Fatalf("%s became %s: %v", p.data, data, err)
			}
			return
		}
		again, err := decodePacket(append([]byte{p.kind}, text[1:]...), 10)
		if err != nil || !reflect.DeepEqual(again, p) {
			t.Fatalf("%+v became %+v: %v", p, again, err)
		}
	})
}

func TestArgs_RoundTrip(t *testing.T) {
	type inner struct {
		Photo []byte         `json:"photo"`
		More  map[string]any `json:"more"`
		N     int            `json:"n,omitempty"`
	}
	sent := inner{Photo: []byte{1, 2}, More: map[string]any{"deep": []any{[]byte{3}, "<&>"}}}
	data, files, err := encodeArgs([]any{"event", sent, []byte{9}, nil, 7})
	if err != nil {
		t.Fatal(err)
	}
	const want = `["event",{"photo":{"_placeholder":true,"num":0},"more":{"deep":[{"_placeholder":true,"num":1},"<&>"]}},` +
		`{"_placeholder":true,"num":2},null,7]`
	if string(data) != want || !reflect.DeepEqual(files, [][]byte{{1, 2}, {3}, {9}}) {
		t.Fatalf("%s %v", data, files)
	}
	args, err := splitArgs(data, files)
	if err != nil {
		t.Fatal(err)
	}
	var photo struct{ Photo []byte }
	var deep any
	var last []byte
	for i, into := range []any{&photo, &deep, &last} {
		if err := args[max(1, i)].Decode(into); err != nil {
			t.Errorf("argument %d: %v", i, err)
		}
	}
	wantDeep := map[string]any{"photo": []byte{1, 2}, "more": map[string]any{"deep": []any{[]byte{3}, "<&>"}}}
	if !reflect.DeepEqual(photo.Photo, []byte{1, 2}) || !reflect.DeepEqual(deep, wantDeep) || !reflect.DeepEqual(last, []byte{9}) {
		t.Errorf("%v %v %v", photo, deep, last)
	}
	again, files, err := encodeArgs([]any{"other", []byte{0}, args[2], args[1]}) // given on, numbers change
	if err != nil {
		t.Fatal(err)
	}
	const wantAgain = `["other",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1},` +
		`{"photo":{"_placeholder":true,"num":2},"more":{"deep":[{"_placeholder":true,"num":3},"<&>"]}}]`
	if string(again) != wantAgain || !reflect.DeepEqual(files, [][]byte{{0}, {9}, {1, 2}, {3}}) {
		t.Errorf("%s %v", again, files)
	}
}
