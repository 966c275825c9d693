package bus

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/engine"
)

// Older programs refuse a reason that they do not know. They know the one that watchers are told.
func TestState_SaysReasonsThatOlderProgramsKnow(t *testing.T) {
	d := drop.Drop{ID: 7, Version: 3, Sizes: []drop.Size{{}}, Settings: drop.Settings{Name: "Air Zenith 1"}}
	said, err := encodeState(engine.NewView(d, nil, 0, 0), &drop.LedgerEntry{Seq: 9, Reason: drop.Returned, Units: 1, Available: 1}, nil)
	if err != nil || !strings.Contains(string(said), `"reason":"restocked"`) {
		t.Errorf("%s, %v", said, err)
	}
}

// A server of before waitlists says nothing of them. What it says is then the same as what a drop without one has, so
// that watchers are not told that its settings changed.
func TestState_WithoutAWaitlistIsAsBefore(t *testing.T) {
	d := drop.Drop{ID: 7, Version: 3, Sizes: []drop.Size{{}}, Settings: drop.Settings{
		Name: "Air Zenith 1", OfferFor: drop.DefaultOfferFor, MaxWaiting: drop.DefaultMaxWaiting,
	}}
	said, err := encodeState(engine.NewView(d, nil, 0, 0), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"line", "waiting", "pending"} {
		if strings.Contains(string(said), `"`+name+`"`) {
			t.Errorf("%s says %s", said, name)
		}
	}
	if ev, err := decodeState(said); err != nil || ev.View.Drop.Settings != d.Settings {
		t.Errorf("%s is read as %+v, %v", said, ev.View, err)
	}
	for _, sizes := range []string{`[{"waiting":-1}]`, `[{"waiting":1,"pending":2}]`, `[{"waiting":1,"pending":1}]`, `[{"pending":-1}]`} {
		impossible := strings.Replace(string(said), `[{"total":0,"available":0,"held":0,"sold":0}]`, sizes, 1)
		if _, err := decodeState([]byte(impossible)); err == nil || impossible == string(said) {
			t.Errorf("%s is taken", impossible)
		}
	}
}

// A draw travels with its terms and how far it has come. A drop without one says nothing of draws.
func TestState_HasTheDraw(t *testing.T) {
	d := drop.Drop{ID: 7, Version: 3, Sizes: []drop.Size{{}}, Settings: drop.Settings{
		Name: "Air Zenith 1", OfferFor: drop.DefaultOfferFor, MaxWaiting: drop.DefaultMaxWaiting,
	}}
	without, err := encodeState(engine.NewView(d, nil, 0, 0), nil, nil)
	if err != nil || strings.Contains(string(without), "draw") {
		t.Fatalf("%s, %v", without, err)
	}
	d.Draw = drop.Draw{Opens: 1, Closes: 2, PayWithin: 60, Commitment: drop.Hash{1, 2}, Chain: "quicknet", Round: 9}
	d.DrawState = drop.DrawState{Phase: drop.Drawn, Entered: 5, Lined: 4}
	said, err := encodeState(engine.NewView(d, nil, 0, 0), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if ev, err := decodeState(said); err != nil || ev.View.Drop.Settings != d.Settings || ev.View.Drop.DrawState != d.DrawState {
		t.Errorf("%s is read as %+v, %v", said, ev.View, err)
	}
	for _, c := range []struct{ from, to string }{
		{`"closes":2`, `"closes":1`},
		{`"closes":2`, `"closes":253402300800000`},
		{`"opens":1`, `"opens":-1`},
		{`"quicknet"`, `"mine"`},
		{`"round":9`, `"round":-9`},
		{`"pay_within":60`, `"pay_within":0`},
		{`"0102`, `"01`},
		{`"phase":2`, `"phase":3`},
		{`"phase":2`, `"phase":-1`},
		{`"entered":5`, `"entered":200001`},
		{`"terms":{`, `"term":{`},
	} {
		impossible := strings.Replace(string(said), c.from, c.to, 1)
		if _, err := decodeState([]byte(impossible)); err == nil || impossible == string(said) {
			t.Errorf("%s is taken", impossible)
		}
	}
}

// While servers are replaced one by one, old and new ones read each other's messages. Public names do not need a new
// format.
func TestState_PublicNamesAreNoNewForm(t *testing.T) {
	sold := []drop.Recent{
		{ID: drop.NewPurchaseID(7, 2), Username: "Ann Smith", PublicName: "Ann S.", CreatedAt: 2},
		{ID: drop.NewPurchaseID(7, 1), Username: "bob", CreatedAt: 1},
	}
	d := drop.Drop{ID: 7, Version: 3, Sizes: []drop.Size{{}}, Settings: drop.Settings{Name: "Air Zenith 1"}}
	said, err := encodeState(engine.NewView(d, sold, 2, 2), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	ev, err := decodeState(said)
	if err != nil || !reflect.DeepEqual(ev.View.Recent, sold) {
		t.Errorf("%s is read as %+v, %v", said, ev.View, err)
	}
	var old struct { // as older programs read it
		Format int `json:"format"`
		Recent []struct {
			ID   int64  `json:"id"`
			Name string `json:"name"`
			At   int64  `json:"at"`
		} `json:"recent"`
	}
	if err := json.Unmarshal(said, &old); err != nil || old.Format != 1 || len(old.Recent) != 2 || old.Recent[0].Name != "Ann Smith" || old.Recent[0].At != 2 {
		t.Errorf("%s is read by older programs as %+v, %v", said, old, err)
	}
	if strings.Count(string(said), `"public"`) != 1 {
		t.Errorf("of one who has none nothing is said: %s", said)
	}
	before := strings.Replace(string(said), `"public":"Ann S.",`, "", 1) // as older programs send it
	ev, err = decodeState([]byte(before))
	if sold[0].PublicName = ""; err != nil || !reflect.DeepEqual(ev.View.Recent, sold) {
		t.Errorf("%s is read as %+v, %v", before, ev.View, err)
	}
	unreadable := strings.Replace(string(said), "Ann S.", `Ann\u0000`, 1)
	if _, err := decodeState([]byte(unreadable)); err == nil {
		t.Errorf("%s is taken", unreadable)
	}
}
