package draw_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"sneakerdrop/internal/draw"
)

// Rounds of the two networks that drand runs, as its own tests and its API have them: see TestBeacon_OfDrandIsVerified.
const (
	quicknet = `{"url":"https://shop.example/beacon","chain_hash":"52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971",` +
		`"public_key":"83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",` +
		`"scheme":"bls-unchained-g1-rfc9380","round":1000,"randomness":"fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd",` +
		`"signature":"b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"}`
	chained = `{"url":"https://shop.example/beacon","chain_hash":"8990e7a9aaed2ffed73dbd7092123d6f289930540d7651336225dc172e51b2ce",` +
		`"public_key":"868f005eb8e6e4ca0a47c8a77ceaa5309a47978a7c71bc5cce96366b5d7a569937c529eeda66c7293784a9402801af31",` +
		`"scheme":"pedersen-bls-chained","round":2634945,"randomness":"%s",` +
		`"signature":"814778ed1e480406beb43b74af71ce2f0373e0ea1bfdfea8f9ed62c876c20fcbc7f0163860e3da42ed2148756015f4551451898ffe06d384b4d002245025571b6b7a752f7158b40ad92b13b6d703ad31922a617f2c7f6d960b84d56cf1d79eef",` +
		`"previous_signature":"8bd96294383b4d1e04e736360bd7a487f9f409f1e7bd800b720656a310d577b3bdb1e1631af6c5782a1d8979c502f395036181eff4058960fc40bb7034cdae1991d3eda518ab204a077d2f7e724974cf87b407e549bd815cf0b8e5a3832f675d"}`
)

// beacons are nil and the two rounds.
func beacons(t testing.TB) []*draw.Beacon {
	t.Helper()
	_, rest, _ := strings.Cut(chained, `"signature":"`)
	signature, err := hex.DecodeString(rest[:192])
	if err != nil {
		t.Fatal(err)
	}
	found := []*draw.Beacon{nil}
	for _, text := range []string{quicknet, fmt.Sprintf(chained, draw.Hash(sha256.Sum256(signature)))} {
		b := new(draw.Beacon)
		if err := unmarshal(text, b); err != nil {
			t.Fatal(err)
		}
		found = append(found, b)
	}
	return found
}

// shuffled is the shop of a test: the same for the same seed.
type shuffled struct {
	*rand.Rand
	beacons []*draw.Beacon
}

func shop(t testing.TB, seed uint64) shuffled {
	t.Helper()
	return shuffled{rand.New(rand.NewPCG(seed, 23)), beacons(t)}
}

func (s shuffled) bytes(to []byte) {
	for i := range to {
		to[i] = byte(s.Uint32())
	}
}

var (
	labels  = []string{"42", "42.5", "43 1/3", "", "XL", "靴 27.5", `"`, "a\tb", "<&>", "\u2028"}
	reasons = []string{"a second account", "Ein zweites Konto", "\\ and \"", "子供"}
)

// record makes a closed record, and the receipts of its entries. It is not drawn yet.
func (s shuffled) record(t testing.TB, entries int) (*draw.Record, []draw.Receipt) {
	t.Helper()
	r := &draw.Record{
		Drop:  draw.Drop{ID: 1 + s.Int64N(1<<53-1), Name: "Comet " + labels[s.IntN(len(labels))]},
		Opens: draw.Time(s.Int64N(1_600_000_000_000)), Beacon: s.beacons[max(0, s.IntN(12)-9)], // most have none: its signature takes longest
	}
	r.Closes = r.Opens + 1 + draw.Time(s.Int64N(10_000_000_000))
	s.bytes(r.Seed[:])
	r.Commitment = draw.Commit(r.Seed)
	for _, i := range s.Perm(len(labels))[:1+s.IntN(len(labels))] {
		r.Stock = append(r.Stock, draw.Stock{Size: labels[i], Units: s.Int64N(4)})
	}
	receipts := make([]draw.Receipt, entries)
	for i := range receipts {
		e := draw.Entry{ID: draw.EntryID(i + 1), Sizes: s.Perm(len(r.Stock))[:1+s.IntN(len(r.Stock))]}
		receipt := draw.Receipt{Version: draw.Version, Drop: r.Drop.ID, Entry: e.ID, Buyer: 1 + s.Int64N(1<<53-1)}
		s.bytes(receipt.Salt[:])
		for _, size := range e.Sizes {
			receipt.Sizes = append(receipt.Sizes, r.Stock[size].Size)
		}
		e.Hash = draw.HashBuyer(receipt.Salt, receipt.Buyer)
		switch s.IntN(10) {
		case 0:
			e.Withdrawn = true
		case 1:
			e.Removed = reasons[s.IntN(len(reasons))]
		}
		r.Entries, receipts[i] = append(r.Entries, e), receipt
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return r, receipts
}

// drawn is record, drawn.
func (s shuffled) drawn(t testing.TB, entries int) (*draw.Record, []draw.Receipt) {
	t.Helper()
	r, receipts := s.record(t, entries)
	if err := r.Run(); err != nil {
		t.Fatal(err)
	}
	return r, receipts
}

func TestRecord_OfARightDrawIsVerified(t *testing.T) {
	for seed := range uint64(200) {
		s := shop(t, seed)
		r, _ := s.drawn(t, s.IntN(60))
		encoded, err := r.Encode()
		if err != nil {
			t.Fatal(err)
		}
		again, err := draw.Parse(encoded)
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, encoded)
		}
		if err := again.Verify(); err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, encoded)
		}
	}
}

// Nobody gets two units, no size gives more than it has, and nobody waits for a size that has units left.
func TestRun_GivesEachUnitOnce(t *testing.T) {
	for seed := range uint64(300) {
		s := shop(t, seed)
		r, _ := s.drawn(t, s.IntN(80))
		left := make([]int64, len(r.Stock))
		for i := range r.Stock {
			left[i] = r.Stock[i].Units
		}
		seen := make(map[draw.EntryID]bool)
		for _, w := range r.Winners {
			e := r.Entries[w.Entry-1]
			if left[w.Size]--; left[w.Size] < 0 || seen[w.Entry] || !e.Drawn() || !slices.Contains(e.Sizes, w.Size) {
				t.Fatalf("seed %d: %+v won size %d", seed, e, w.Size)
			}
			seen[w.Entry] = true
		}
		for _, id := range r.RunnersUp {
			e := r.Entries[id-1]
			for _, size := range e.Sizes {
				if seen[id] || !e.Drawn() || left[size] > 0 {
					t.Fatalf("seed %d: %+v waits, and size %d has %d left", seed, e, size, left[size])
				}
			}
			seen[id] = true
		}
		for _, e := range r.Entries {
			if e.Drawn() != seen[e.ID] {
				t.Fatalf("seed %d: %+v is drawn: %v", seed, e, seen[e.ID])
			}
		}
	}
}

// Each of 100 entries wins as often as any other. Of 10,000 draws for 10 pairs, an entry wins 1,000 on average; the
// sum of squares is compared with the chi-square distribution of 99 degrees of freedom at 0.001. Winners are drawn
// without being put back, which makes the sum smaller by (100-10)/(100-1); the test divides by that.
func TestRun_IsFair(t *testing.T) {
	const (
		draws, entries, units = 10_000, 100, 10
		critical              = 148.23 // of chi-square with 99 degrees of freedom at 0.001
	)
	for _, seed := range []uint64{1, 2, 3} {
		s := shop(t, seed)
		r, _ := s.record(t, entries)
		for i := range r.Entries {
			r.Entries[i].Withdrawn, r.Entries[i].Removed, r.Entries[i].Sizes = false, "", []int{0}
		}
		r.Stock, r.Beacon = []draw.Stock{{Units: units}}, nil
		won, first := [entries]float64{}, [entries]float64{}
		for range draws {
			s.bytes(r.Seed[:])
			r.Commitment = draw.Commit(r.Seed)
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			if err := r.Run(); err != nil {
				t.Fatal(err)
			}
			for _, w := range r.Winners {
				won[w.Entry-1]++
			}
			first[r.Winners[0].Entry-1]++
		}
		wins := chiSquare(won[:], draws*units/entries) * (entries - 1) / (entries - units)
		firsts := chiSquare(first[:], draws/entries)
		t.Logf("seed %d: chi-square of wins %.1f, of first places %.1f, critical %.2f", seed, wins, firsts, critical)
		if wins > critical || firsts > critical {
			t.Errorf("seed %d: wins %.1f, first places %.1f: more than %.2f", seed, wins, firsts, critical)
		}
	}
}

func chiSquare(counts []float64, expected float64) float64 {
	sum := 0.0
	for _, n := range counts {
		sum += (n - expected) * (n - expected) / expected
	}
	return sum
}

// The largest draw, with 10 sizes, is made, written, read and checked.
func TestRecord_OfMostEntries(t *testing.T) {
	s := shop(t, 7)
	r, receipts := s.drawn(t, draw.MaxEntries)
	encoded, err := r.Encode()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", len(encoded))
	again, err := draw.Parse(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Verify(); err != nil {
		t.Fatal(err)
	}
	if _, err := again.Find(&receipts[draw.MaxEntries-1]); err != nil {
		t.Error(err)
	}
	r.Entries = append(r.Entries, draw.Entry{ID: draw.MaxEntries + 1, Sizes: []int{0}})
	if err := r.Close(); err == nil || err.Error() != "entries: must be at most 200000" {
		t.Error(err)
	}
	if _, err := draw.Parse(make([]byte, draw.MaxBytes+1)); err == nil || err.Error() != "the record has 67108865 bytes, and may have 67108864" {
		t.Error(err)
	}
}

// Run refuses what Verify would refuse, and leaves the record alone.
func TestRun_RefusesAnotherSeed(t *testing.T) {
	s := shop(t, 3)
	r, _ := s.record(t, 5)
	r.Seed[0] ^= 1
	if err := r.Run(); err == nil || err.Error() != "the seed does not match the commitment" || r.Winners != nil {
		t.Error(err, r.Winners)
	}
}

// Seeds and salts are secret, and stay out of logs.
func TestSecrets_AreNotPrinted(t *testing.T) {
	s := shop(t, 4)
	r, receipts := s.record(t, 1)
	salt := receipts[0].Salt
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
		said := fmt.Sprintf(format+format+format+format, r.Seed, salt, r, receipts[0])
		if strings.Contains(said, hex.EncodeToString(r.Seed[:4])) || strings.Contains(said, hex.EncodeToString(salt[:4])) {
			t.Errorf("%s prints a secret: %s", format, said)
		}
	}
	if r.Seed.LogValue().String() != "[secret]" || salt.LogValue().String() != "[secret]" {
		t.Error("a log shows a secret")
	}
}

// BenchmarkRun draws the largest draw: the root, the seal, the beacon's signature and the scores.
func BenchmarkRun(b *testing.B) {
	r, _ := shop(b, 7).drawn(b, draw.MaxEntries)
	for b.Loop() {
		if err := r.Run(); err != nil {
			b.Fatal(err)
		}
	}
}
