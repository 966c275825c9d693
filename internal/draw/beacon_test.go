package draw_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"testing"

	"github.com/go-json-experiment/json"

	"sneakerdrop/internal/draw"
)

func unmarshal(text string, v any) error {
	return json.Unmarshal([]byte(text), v, json.RejectUnknownMembers(true))
}

// The rounds are published ones: 1000 of quicknet, and 2634945 of the default network, which drand's own tests have
// (crypto/schemes_test.go). With round 1 of the default network, the previous signature is the hash of its group.
func TestBeacon_OfDrandIsVerified(t *testing.T) {
	known := beacons(t)[1:]
	first := *known[1]
	first.Round = 1
	for to, text := range map[*draw.Hex]string{
		&first.Signature:         "8d61d9100567de44682506aea1a7a6fa6e5491cd27a0a0ed349ef6910ac5ac20ff7bc3e09d7c046566c9f7f3c6f3b10104990e7cb424998203d8f7de586fb7fa5f60045417a432684f85093b06ca91c769f0e7ca19268375e659c2a2352b4655",
		&first.PreviousSignature: "176f93498eac9ca337150b46d21dd58673ea4e3581185f869672e59fa4cb390a",
	} {
		if err := to.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := first.Randomness.UnmarshalText([]byte("101297f1ca7dc44ef6088d94ad5fb7ba03455dc33d53ddb412bbc4564ed986ec")); err != nil {
		t.Fatal(err)
	}
	for _, b := range append(known, &first) {
		if err := b.Verify(); err != nil {
			t.Errorf("round %d of %s: %v", b.Round, b.ChainHash, err)
		}
		b.Round++
		if err := b.Verify(); err == nil {
			t.Errorf("round %d of %s has the signature of another", b.Round, b.ChainHash)
		}
	}
}

// A chain hash is the SHA-256 of the period, the time of round 1, the public key and the group's hash. Behind them
// comes the name of the network, except for the default one.
func TestBeacon_KnowsTheNetworksByTheirHash(t *testing.T) {
	for i, c := range []struct {
		period, genesis uint64
		group, name     string
	}{
		{3, 1692803367, "f477d5c89f21a17c863a7f937c6a6d15859414d2be09cd448d4279af331c5d3e", "quicknet"},
		{30, 1595431050, "176f93498eac9ca337150b46d21dd58673ea4e3581185f869672e59fa4cb390a", ""},
	} {
		b := beacons(t)[i+1]
		group, err := hex.DecodeString(c.group)
		if err != nil {
			t.Fatal(err)
		}
		hashed := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(nil, uint32(c.period)), c.genesis)
		hashed = append(append(append(hashed, b.PublicKey...), group...), c.name...)
		if got := draw.Hash(sha256.Sum256(hashed)); got != b.ChainHash {
			t.Errorf("the hash of %q is %s, want %s", c.name, got, b.ChainHash)
		}
		// The first round that is known only after the close.
		closes := draw.Time((c.genesis + 999*c.period) * 1000)
		for round, ok := range map[int64]bool{1000: false, 1001: true} {
			s := shop(t, 5)
			r, _ := s.record(t, 3)
			r.Closes, r.Beacon, r.Opens = closes, b, 0
			b.Round = round
			if err := r.Close(); (err == nil) != ok {
				t.Errorf("round %d, entries close at %s: %v", round, closes, err)
			}
		}
	}
}
