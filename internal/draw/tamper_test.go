package draw_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sneakerdrop/internal/draw"
)

// tampering is one change of comet, what Go says of it, and the message that the page has for it. The page does not
// check a beacon's signature: of what only that shows, it finds nothing.
type tampering struct {
	change   any // func(*draw.Record), or the old and the new text as [2]string, or func(string) string
	says, js string
}

const noSeal = "the seal is …, the record makes …: the drop, its times, its stock, the beacon's round, or who withdrew or was removed has changed since the close"

type edit = func(r *draw.Record)

// reclosed is a change by somebody who computes root and seal again.
func reclosed(change edit) edit {
	return func(r *draw.Record) {
		change(r)
		if err := r.Close(); err != nil {
			panic(err)
		}
	}
}

var tamperings = map[string]tampering{
	// The terms.
	"another version":            {[2]string{`"sneakerdrop draw 1"`, `"sneakerdrop draw 2"`}, `version: must be "sneakerdrop draw 1"`, "bad_field version"},
	"another drop":               {func(r *draw.Record) { r.Drop.ID = 8 }, "the root is …, the entries make …", "root"},
	"drop 0":                     {func(r *draw.Record) { r.Drop.ID = 0 }, "drop.id: must be from 1 to 9007199254740991", "bad_field drop.id"},
	"another name":               {func(r *draw.Record) { r.Drop.Name = "Comes" }, noSeal, "seal"},
	"no name":                    {func(r *draw.Record) { r.Drop.Name = "" }, "drop.name: must have 1 to 200 characters", "bad_field drop.name"},
	"a long name":                {func(r *draw.Record) { r.Drop.Name = strings.Repeat("é", 201) }, "drop.name: must have 1 to 200 characters", "bad_field drop.name"},
	"opens later":                {func(r *draw.Record) { r.Opens++ }, noSeal, "seal"},
	"closes later":               {func(r *draw.Record) { r.Closes++ }, noSeal, "seal"},
	"closes first":               {func(r *draw.Record) { r.Opens = r.Closes }, "opens: must be before closes", "bad_field opens"},
	"a day that is none":         {[2]string{"2023-08-14", "2023-02-30"}, "opens: must be a time such as 2026-11-30T18:00:00.000Z, from the year 1970 on", "bad_field opens"},
	"a time elsewhere":           {[2]string{"06:40:00.000Z", "06:40:00.00+1"}, "closes: must be a time such as 2026-11-30T18:00:00.000Z, from the year 1970 on", "bad_field closes"},
	"a unit more":                {func(r *draw.Record) { r.Stock[1].Units++ }, noSeal, "seal"},
	"a unit less":                {func(r *draw.Record) { r.Stock[0].Units-- }, noSeal, "seal"},
	"fewer units than none":      {func(r *draw.Record) { r.Stock[0].Units = -1 }, "stock 1: units: must be at least 0, and at most 10000000 over all sizes", "bad_field stock[0]"},
	"too many units":             {func(r *draw.Record) { r.Stock[1].Units = 9_999_999 }, "stock 2: units: must be at least 0, and at most 10000000 over all sizes", "bad_field stock"},
	"a size by another name":     {func(r *draw.Record) { r.Stock[0].Size = "41" }, "the root is …, the entries make …", "root"},
	"a size with a long name":    {func(r *draw.Record) { r.Stock[0].Size = strings.Repeat("4", 33) }, "stock 1: size: must have 0 to 32 characters", "bad_field stock[0]"},
	"a size twice":               {func(r *draw.Record) { r.Stock[1].Size = "42" }, "stock 2: size: is there twice", "bad_field stock"},
	"a size more":                {func(r *draw.Record) { r.Stock = append(r.Stock, draw.Stock{Size: "44"}) }, noSeal, "seal"},
	"a size is gone":             {func(r *draw.Record) { r.Stock = r.Stock[:1] }, "entry 2: sizes: 1 is not in stock", "bad_field entries[1].sizes"},
	"no sizes":                   {func(r *draw.Record) { r.Stock = nil }, "stock: must have 1 to 100 sizes", "bad_field stock"},
	"sizes in another order":     {func(r *draw.Record) { slices.Reverse(r.Stock) }, "the root is …, the entries make …", "root"},
	"another commitment":         {func(r *draw.Record) { r.Commitment[31] ^= 1 }, "the seed does not match the commitment", "seed"},
	"another seed":               {func(r *draw.Record) { r.Seed[0] ^= 1 }, "the seed does not match the commitment", "seed"},
	"a seed and its commitment":  {func(r *draw.Record) { r.Seed[0] ^= 1; r.Commitment = draw.Commit(r.Seed) }, noSeal, "seal"},
	"half a seed":                {[2]string{`"seed":"e349b6a7849927d6b0072dca7e2f9289`, `"seed":"`}, "seed: must be 64 lowercase hexadecimal digits", "bad_field seed"},
	"a seed in capitals":         {[2]string{`"e349b6a7`, `"E349B6A7`}, "seed: must be 64 lowercase hexadecimal digits", "bad_field seed"},
	"a seed drawn until it fits": {reclosed(func(r *draw.Record) { r.Seed[0] ^= 1; r.Commitment = draw.Commit(r.Seed) }), "winner 1 is entry 8, the draw gives entry 1", "winner 1 8 1"},
	// The entries.
	"another hash":              {func(r *draw.Record) { r.Entries[0].Hash[0] ^= 1 }, "the root is …, the entries make …", "root"},
	"a short hash":              {[2]string{`"7d402aae`, `"7d402aa`}, "entry 1: hash: must be 64 lowercase hexadecimal digits", "bad_field entries[0].hash"},
	"an entry more":             {func(r *draw.Record) { r.Entries = append(r.Entries, draw.Entry{ID: 10, Sizes: []int{0}}) }, "the count is 9, the record has 10 entries", "count"},
	"an entry more, counted":    {func(r *draw.Record) { r.Entries, r.Count = append(r.Entries, draw.Entry{ID: 10, Sizes: []int{0}}), 10 }, "the root is …, the entries make …", "root"},
	"the last entry is gone":    {func(r *draw.Record) { r.Entries = r.Entries[:8] }, "the count is 9, the record has 8 entries", "count"},
	"an entry is gone":          {func(r *draw.Record) { r.Entries = slices.Delete(r.Entries, 3, 4) }, "entry 4: its place has the number 5; entries are numbered from 1 without gaps", "gap"},
	"an entry twice":            {func(r *draw.Record) { r.Entries = slices.Insert(r.Entries, 3, r.Entries[2]) }, "entry 4: its place has the number 3; entries are numbered from 1 without gaps", "gap"},
	"entries change places":     {func(r *draw.Record) { r.Entries[0], r.Entries[1] = r.Entries[1], r.Entries[0] }, "entry 1: its place has the number 2; entries are numbered from 1 without gaps", "gap"},
	"entries change hashes":     {func(r *draw.Record) { a, b := &r.Entries[0], &r.Entries[1]; a.Hash, b.Hash = b.Hash, a.Hash }, "the root is …, the entries make …", "root"},
	"another count":             {func(r *draw.Record) { r.Count = 8 }, "the count is 8, the record has 9 entries", "count"},
	"another root":              {func(r *draw.Record) { r.Root[5] ^= 1 }, "the root is …, the entries make …", "root"},
	"another seal":              {func(r *draw.Record) { r.Seal[5] ^= 1 }, noSeal, "seal"},
	"a favorite less":           {func(r *draw.Record) { r.Entries[1].Sizes = []int{1} }, "the root is …, the entries make …", "root"},
	"favorites change places":   {func(r *draw.Record) { r.Entries[1].Sizes = []int{0, 1} }, "the root is …, the entries make …", "root"},
	"a favorite twice":          {func(r *draw.Record) { r.Entries[1].Sizes = []int{1, 1} }, "entry 2: sizes: 1 is there twice", "bad_field entries[1].sizes"},
	"no favorite":               {func(r *draw.Record) { r.Entries[1].Sizes = nil }, "entry 2: sizes: must be at least one", "bad_field entries[1].sizes"},
	"a favorite below all":      {func(r *draw.Record) { r.Entries[1].Sizes = []int{-1} }, "entry 2: sizes: -1 is not in stock", "bad_field entries[1].sizes"},
	"a favorite by its label":   {[2]string{`"sizes":[1,0]}`, `"sizes":["43 1/3"]}`}, "entry 2: sizes: 0: has a value of the wrong kind", "bad_field entries[1].sizes"},
	"withdrawn by somebody":     {func(r *draw.Record) { r.Entries[7].Withdrawn = true }, noSeal, "seal"},
	"not withdrawn after all":   {func(r *draw.Record) { r.Entries[2].Withdrawn = false }, noSeal, "seal"},
	"a winner is removed":       {func(r *draw.Record) { r.Entries[7].Removed = "no reason" }, noSeal, "seal"},
	"a removed one is back":     {func(r *draw.Record) { r.Entries[4].Removed = "" }, noSeal, "seal"},
	"another reason":            {func(r *draw.Record) { r.Entries[4].Removed = "a third account" }, noSeal, "seal"},
	"a reason that is empty":    {[2]string{`"a second account"`, `""`}, "entry 5: is missing, or not written as the format demands, from byte 1687 on; take the file as the server sent it", "bad_field entries[4].removed"},
	"a long reason":             {func(r *draw.Record) { r.Entries[4].Removed = strings.Repeat("a", 201) }, "entry 5: removed: must have 0 to 200 characters", "bad_field entries[4].removed"},
	"withdrawn and removed":     {func(r *draw.Record) { r.Entries[4].Withdrawn = true }, "entry 5: is withdrawn and removed; it can only be one of these", "bad_field entries[4].withdrawn"},
	"a winner withdrawn, again": {reclosed(func(r *draw.Record) { r.Entries[7].Withdrawn = true }), "winner 1 is entry 8, the draw gives entry 4", "winner 1 8 4"},
	// The beacon.
	"no beacon":              {func(r *draw.Record) { r.Beacon = nil }, noSeal, "seal"},
	"another round":          {func(r *draw.Record) { r.Beacon.Round++ }, noSeal, "seal"},
	"round 0":                {func(r *draw.Record) { r.Beacon.Round = 0 }, "beacon.round: must be from 1 to 9007199254740991", "bad_field beacon.round"},
	"a round before the end": {func(r *draw.Record) { r.Closes = 1692803367_000 + 999*3000 }, "beacon.round: round 1000 was known before entries closed", "early_round"},
	"another round, again":   {reclosed(func(r *draw.Record) { r.Beacon.Round++ }), "the beacon's signature is not the network's for round 1001", ""},
	"another address":        {func(r *draw.Record) { r.Beacon.URL = "https://shop.example/" }, noSeal, "seal"},
	"no address":             {func(r *draw.Record) { r.Beacon.URL = "" }, "beacon.url: must have 1 to 2048 characters", "bad_field beacon.url"},
	"an unknown network":     {func(r *draw.Record) { r.Beacon.ChainHash[0] ^= 1 }, "beacon.chain_hash: this program knows no drand network with the chain hash …", "bad_field beacon.chain_hash"},
	"another network's key":  {func(r *draw.Record) { r.Beacon.PublicKey[0] ^= 1 }, "beacon.public_key: the key of the drand network quicknet is another", "bad_field beacon.public_key"},
	"another scheme":         {func(r *draw.Record) { r.Beacon.Scheme = draw.SchemeChained }, "beacon.scheme: the drand network quicknet uses bls-unchained-g1-rfc9380", "bad_field beacon.scheme"},
	"another randomness":     {func(r *draw.Record) { r.Beacon.Randomness[0] ^= 1 }, "the beacon's randomness is not the SHA-256 of its signature", "randomness"},
	"another signature":      {func(r *draw.Record) { r.Beacon.Signature[9] ^= 1 }, "the beacon's randomness is not the SHA-256 of its signature", "randomness"},
	"a signature before":     {func(r *draw.Record) { r.Beacon.PreviousSignature = draw.Hex{1} }, "the beacon's signature is not the network's for round 1000", "bad_field beacon.previous_signature"},
	"a signature of nothing": {[2]string{`5e39"}`, `5e39","previous_signature":""}`}, "beacon: is missing, or not written as the format demands, from byte 850 on; take the file as the server sent it", "bad_form"},
	"a beacon without fields": {func(s string) string {
		return regexp.MustCompile(`"beacon":\{.*?\}`).ReplaceAllString(s, `"beacon":{}`)
	}, "beacon.url: is missing, or not written as the format demands, from byte 287 on; take the file as the server sent it", "bad_field beacon.url"},
	// The result.
	"another first":             {func(r *draw.Record) { r.Winners[0].Entry = 2 }, "winner 1 is entry 2, the draw gives entry 8", "winner 1 2 8"},
	"winners change places":     {func(r *draw.Record) { slices.Reverse(r.Winners) }, "winner 1 is entry 7, the draw gives entry 8", "winner 1 7 8"},
	"winner 3 is a friend":      {func(r *draw.Record) { r.Winners[2].Entry = 4 }, "winner 3 is entry 4, the draw gives entry 7", "winner 3 4 7"},
	"a winner less":             {func(r *draw.Record) { r.Winners = r.Winners[:2] }, "the record has 2 winners, the draw gives 3", "winners 2 3"},
	"a winner more":             {func(r *draw.Record) { r.Winners = append(r.Winners, draw.Winner{Entry: 4}) }, "the record has 4 winners, the draw gives 3", "winners 4 3"},
	"no winner":                 {func(r *draw.Record) { r.Winners = nil }, "the record has 0 winners, the draw gives 3", "winners 0 3"},
	"a winner of another size":  {func(r *draw.Record) { r.Winners[1].Size = 1 }, `winner 2 has size "43 1/3", the draw gives size "42"`, "winner_size 2 42"},
	"a winner of no size":       {func(r *draw.Record) { r.Winners[1].Size = 2 }, `winner 2 has size number 2, which is not in stock, the draw gives size "42"`, "winner_size 2 42"},
	"a runner-up moves up":      {func(r *draw.Record) { u := r.RunnersUp; u[0], u[2] = u[2], u[0] }, "runner-up 1 is entry 1, the draw gives entry 4", "runner_up 1 1 4"},
	"a runner-up less":          {func(r *draw.Record) { r.RunnersUp = r.RunnersUp[:3] }, "the record has 3 runners-up, the draw gives 4", "runners_up 3 4"},
	"a runner-up more":          {func(r *draw.Record) { r.RunnersUp = append(r.RunnersUp, 3) }, "the record has 5 runners-up, the draw gives 4", "runners_up 5 4"},
	"a winner also waits":       {func(r *draw.Record) { r.RunnersUp[3] = 8 }, "runner-up 4 is entry 8, the draw gives entry 2", "runner_up 4 8 2"},
	"a runner-up that is a sum": {[2]string{`"runners_up":[4,`, `"runners_up":[4.5,`}, "runner-up 1: has a value of the wrong kind", "bad_field runners_up[0]"},
	// The file.
	"an unknown field":               {[2]string{`"count":9`, `"count":9,"note":"hello"`}, "note: is no field of the format", "bad_form"},
	"an unknown field of a terminal": {[2]string{`"count":9`, `"count":9,"\u001b[31m` + strings.Repeat("a", 99) + `":1`}, `\x1b[31maaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: is no field of the format`, "bad_form"},
	"an unknown entry's field":       {[2]string{`"id":2,`, `"id":2,"vip":true,`}, "entry 2: vip: is no field of the format", "bad_form"},
	"a field twice":                  {[2]string{`"count":9`, `"count":9,"count":9`}, "count: is there twice", "bad_form"},
	"a field is missing":             {[2]string{`"count":9,`, ``}, "count: is missing, or not written as the format demands, from byte 853 on; take the file as the server sent it", "bad_field count"},
	"fields change places":           {[2]string{`"id":7,"name":"Comet"`, `"name":"Comet","id":7`}, "drop.id: is missing, or not written as the format demands, from byte 42 on; take the file as the server sent it", "bad_form"},
	"a blank":                        {[2]string{`"count":9`, `"count": 9`}, "count: is missing, or not written as the format demands, from byte 860 on; take the file as the server sent it", "bad_form"},
	"a byte behind":                  {func(s string) string { return s + "x" }, "the record cannot be read from byte 2104 on: it is no JSON", "no_json"},
	"a line behind":                  {func(s string) string { return s + "\n" }, "the record is not written as the format demands, from byte 2104 on; take the file as the server sent it", "bad_form"},
	"no line feed":                   {func(s string) string { return s[:len(s)-1] }, "the record is not written as the format demands, from byte 2103 on; take the file as the server sent it", "bad_form"},
	"half a file":                    {func(s string) string { return s[:len(s)/2] }, "the record cannot be read from byte 1052 on: it is no JSON", "no_json"},
	"nothing":                        {func(string) string { return "" }, "the record cannot be read from byte 1 on: it is no JSON", "no_json"},
	"a list":                         {func(string) string { return "[]\n" }, "the record has a value of the wrong kind", "no_json"},
	"a number with a fraction":       {[2]string{`"count":9`, `"count":9.0`}, "count: has a value of the wrong kind", "bad_form"},
	"a number as text":               {[2]string{`"count":9`, `"count":"9"`}, "count: has a value of the wrong kind", "bad_field count"},
	"a letter in another form":       {[2]string{`"Comet"`, `"\u0043omet"`}, "drop.name: is missing, or not written as the format demands, from byte 56 on; take the file as the server sent it", "bad_form"},
	"a text that is no UTF-8":        {[2]string{`"Comet"`, "\"Com\xffet\""}, "the record cannot be read from byte 59 on: it is no JSON", "no_json"},
	"half a character":               {[2]string{`"Comet"`, `"\ud800"`}, "the record cannot be read from byte 56 on: it is no JSON", "bad_field drop.name"},
}

// apply makes the bytes of the changed record.
func (c *tampering) apply(t testing.TB) []byte {
	t.Helper()
	r, _ := comet(t)
	if change, ok := c.change.(edit); ok {
		change(r)
	}
	encoded, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	switch change := c.change.(type) {
	case [2]string:
		if strings.Count(string(encoded), change[0]) < 1 {
			t.Fatalf("there is no %s", change[0])
		}
		return []byte(strings.Replace(string(encoded), change[0], change[1], 1))
	case func(string) string:
		return []byte(change(string(encoded)))
	}
	return encoded
}

func verify(data []byte) error {
	r, err := draw.Parse(data)
	if err != nil {
		return err
	}
	return r.Verify()
}

var hashes = regexp.MustCompile(`[0-9a-f]{64}`)

func TestVerify_NamesEachTampering(t *testing.T) {
	if len(tamperings) < 50 {
		t.Fatalf("only %d tamperings", len(tamperings))
	}
	for name, c := range tamperings {
		err := verify(c.apply(t))
		if err == nil {
			t.Errorf("%s: is not found", name)
			continue
		}
		if said := hashes.ReplaceAllString(err.Error(), "…"); said != c.says {
			t.Errorf("%s: %s\nwant %s", name, said, c.says)
		}
	}
}

// Whatever byte of a record changes, it is no longer right.
func TestVerify_FindsEachChangedByte(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, b := range beacons(t) {
		r, _ := comet(t)
		r.Beacon = b
		r.Closes, r.Opens = 1_590_000_000_000, 0
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if err := r.Run(); err != nil {
			t.Fatal(err)
		}
		encoded, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if err := verify(encoded); err != nil {
			t.Fatal(err)
		}
		for i, was := range encoded {
			for _, is := range []byte{was ^ 1, byte(random.Uint32())} {
				if is == was {
					continue
				}
				encoded[i] = is
				if verify(encoded) == nil {
					t.Errorf("%q in place of %q at byte %d of %s is not found", is, was, i+1, encoded)
				}
			}
			encoded[i] = was
		}
	}
}

// A receipt shows where its entry came, and only its own buyer's receipt fits the record.
func TestReceipt_SaysWhereItsEntryCame(t *testing.T) {
	r, receipts := comet(t)
	for i, want := range []draw.Outcome{
		{Place: 3},
		{Place: 4},
		{Withdrawn: true},
		{Place: 1},
		{Removed: "a second account"},
		{Place: 2},
		{Won: true, Size: "42"},
		{Won: true, Size: "43 1/3"},
		{Won: true, Size: "42"},
	} {
		encoded, err := receipts[i].Encode()
		if err != nil {
			t.Fatal(err)
		}
		receipt, err := draw.ParseReceipt(encoded)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := r.Find(receipt); err != nil || got != want {
			t.Errorf("entry %d: %+v, %v, want %+v", i+1, got, err, want)
		}
	}
	for want, change := range wrongReceipts {
		receipt := receipts[1]
		change(&receipt)
		if _, err := r.Find(&receipt); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	r.RunnersUp = nil
	if _, err := r.Find(&receipts[0]); err == nil || err.Error() != "the record does not say where the entry came; verify it first" {
		t.Error(err)
	}
}

var wrongReceipts = map[string]func(*draw.Receipt){
	"the receipt is of drop 8, the record of drop 7":         func(r *draw.Receipt) { r.Drop = 8 },
	"the receipt is of entry 10, the record has 9 entries":   func(r *draw.Receipt) { r.Entry = 10 },
	"entry 1: the record has another buyer than the receipt": func(r *draw.Receipt) { r.Entry = 1 },
	"entry 2: the record has another buyer than the receipt": func(r *draw.Receipt) { r.Buyer++ },
	"entry 2: the record has other sizes than the receipt":   func(r *draw.Receipt) { r.Sizes = []string{"42", "43 1/3"} },
	"the receipt is of entry 0, the record has 9 entries":    func(r *draw.Receipt) { r.Entry = 0 },
	"the receipt is of entry 1000, the record has 9 entries": func(r *draw.Receipt) { r.Entry = 1000 },
	"entry 6: the record has another buyer than the receipt": func(r *draw.Receipt) { r.Entry = 6 }, // of the same sizes
	"the receipt is of drop 700000, the record of drop 7":    func(r *draw.Receipt) { r.Drop = 700_000 },
}

func TestReceipt_IsReadAsItIsWritten(t *testing.T) {
	_, receipts := comet(t)
	encoded, err := receipts[1].Encode()
	if err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string][2]string{
		`version: must be "sneakerdrop draw 1"`:         {"draw 1", "draw 3"},
		"salt: must be 32 lowercase hexadecimal digits": {`"3261`, `"`},
		"buyer: has a value of the wrong kind":          {`:1099511627777`, `:"1099511627777"`},
		"name: is no field of the format":               {`"drop"`, `"name":"Ann","drop"`},
		"the receipt is not written as the format demands, from byte 140 on; take the file as the server sent it": {"\n", ""},
	} {
		changed := strings.Replace(string(encoded), change[0], change[1], 1)
		if _, err := draw.ParseReceipt([]byte(changed)); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := draw.ParseReceipt(make([]byte, draw.MaxReceiptBytes+1)); err == nil || err.Error() != "the receipt has 65537 bytes, and may have 65536" {
		t.Error(err)
	}
}

// A receipt and a proof lead to the root, and nothing else does.
func TestProof_LeadsToTheRootAlone(t *testing.T) {
	for n := range 70 {
		leaves := make([]draw.Hash, n)
		for i := range leaves {
			receipt := draw.Receipt{Drop: 7, Entry: draw.EntryID(i + 1), Buyer: 5, Sizes: []string{"42"}}
			leaves[i] = receipt.Leaf()
		}
		root := draw.Root(leaves)
		for i, leaf := range leaves {
			p, err := draw.Prove(leaves, draw.EntryID(i+1))
			if err != nil {
				t.Fatal(err)
			}
			if err := p.Check(leaf, root); err != nil {
				t.Fatalf("entry %d of %d: %v", i+1, n, err)
			}
			for name, wrong := range map[string]draw.Proof{
				"another entry":  {Entry: p.Entry + 1, Count: n, Path: p.Path},
				"a longer path":  {Entry: p.Entry, Count: n, Path: append(slices.Clone(p.Path), leaf)},
				"a shorter path": {Entry: p.Entry, Count: n, Path: p.Path[:max(0, len(p.Path)-1)]},
				"entry 0":        {Count: n, Path: p.Path},
			} {
				if name == "a shorter path" && n == 1 {
					continue
				}
				if wrong.Check(leaf, root) == nil {
					t.Errorf("entry %d of %d: %s leads to the root", i+1, n, name)
				}
			}
			if other := leaves[(i+1)%n]; n > 1 && p.Check(other, root) == nil {
				t.Errorf("entry %d of %d: the leaf of another leads to the root", i+1, n)
			}
		}
		if _, err := draw.Prove(leaves, draw.EntryID(n+1)); err == nil {
			t.Errorf("there is an entry %d of %d", n+1, n)
		}
	}
	if got, want := draw.Root(nil).String(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"; got != want {
		t.Errorf("the root without entries is %s", got)
	}
	if err := (&draw.Proof{Entry: 1, Count: 1 << 60}).Check(draw.Hash{}, draw.Hash{}); err == nil || fmt.Sprint(err) != "the proof has no place for entry 1 among 1152921504606846976" {
		t.Error(err)
	}
}

// A file of many tiny values is refused before it fills the memory.
func TestParse_BoundsEachList(t *testing.T) {
	for want, list := range map[string]string{
		"entries: must have at most 200000 values":     `{"entries":[{}` + strings.Repeat(",{}", draw.MaxEntries) + `]}`,
		"winners: must have at most 200000 values":     `{"winners":[{}` + strings.Repeat(",{}", draw.MaxEntries) + `]}`,
		"runners_up: must have at most 200000 values":  `{"runners_up":[1` + strings.Repeat(",1", draw.MaxEntries) + `]}`,
		"stock: must have at most 100 values":          `{"stock":[{}` + strings.Repeat(",{}", draw.MaxSizes) + `]}`,
		"entry 1: sizes: must have at most 100 values": `{"entries":[{"sizes":[1` + strings.Repeat(",1", draw.MaxSizes) + `]}]}`,
		"entry 2: hash: has a value of the wrong kind": `{"entries":[{},{"hash":1}]}`,
		"entries: has a value of the wrong kind":       `{"entries":{}}`,
	} {
		if _, err := draw.Parse([]byte(list)); err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	list := `{"sizes":["42"` + strings.Repeat(`,"42"`, draw.MaxSizes) + `]}`
	if _, err := draw.ParseReceipt([]byte(list)); err == nil || err.Error() != "sizes: must have at most 100 values" {
		t.Error(err)
	}
}

// The roots are those of Certificate Transparency's own tests, whose leaves are the SHA-256 of 0x00 and these bytes.
func TestRoot_IsThatOfRFC6962(t *testing.T) {
	var leaves []draw.Hash
	roots := map[int]string{
		1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	}
	for _, data := range []string{
		"", "\x00", "\x10", "\x20\x21", "\x30\x31", "\x40\x41\x42\x43", "\x50\x51\x52\x53\x54\x55\x56\x57",
		"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
	} {
		leaves = append(leaves, sha256.Sum256([]byte("\x00"+data)))
		if want := roots[len(leaves)]; want != "" && draw.Root(leaves).String() != want {
			t.Errorf("the root of %d leaves is %s, want %s", len(leaves), draw.Root(leaves), want)
		}
	}
}
