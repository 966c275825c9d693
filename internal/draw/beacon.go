package draw

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/cloudflare/circl/sign/bls"
)

// Beacon is a round of a drand network, chosen when the draw was created and published after entries closed.
type Beacon struct {
	// URL is where people can look the round up. It has 1 to MaxURL characters. No program calls it.
	URL string `json:"url"`
	// ChainHash names the network.
	ChainHash Hash `json:"chain_hash"`
	// PublicKey is the network's.
	PublicKey Hex `json:"public_key"`
	// Scheme is how the network signs.
	Scheme string `json:"scheme"`
	// Round is from 1 to 2^53-1. The network must publish it after the close.
	Round int64 `json:"round"`
	// Randomness is the SHA-256 of the signature.
	Randomness Hash `json:"randomness"`
	// Signature is the network's for the round.
	Signature Hex `json:"signature"`
	// PreviousSignature is there if the scheme chains rounds.
	PreviousSignature Hex `json:"previous_signature,omitempty"`
}

// The schemes of drand that a draw can use.
const (
	SchemeUnchained = "bls-unchained-g1-rfc9380"
	SchemeChained   = "pedersen-bls-chained"
)

// chain is a drand network. A record cannot bring its own: whoever has a network's keys knows its rounds in advance.
type chain struct {
	name, publicKey, scheme string
	genesis, period         Time // in milliseconds; genesis is when round 1 came
}

// The chain hashes of the networks.
const (
	hashQuicknet = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
	hashDefault  = "8990e7a9aaed2ffed73dbd7092123d6f289930540d7651336225dc172e51b2ce"
)

// RoundOf returns a round of the network quicknet or default, without the randomness, which comes later. Its URL is
// the path of the round at every public HTTP API of the network. RoundOf returns an error for any other network, and
// for a round below 1 or above 2^53-1.
func RoundOf(network string, round int64) (*Beacon, error) {
	if round < 1 || round > maxNumber {
		return nil, errors.New("beacon.round: must be from 1 to 9007199254740991")
	}
	b := &Beacon{Round: round}
	for _, name := range []string{hashQuicknet, hashDefault} {
		if err := b.ChainHash.UnmarshalText([]byte(name)); err != nil {
			return nil, err
		}
		c, err := chainOf(b.ChainHash)
		if err != nil {
			return nil, err
		}
		if c.name != network {
			continue
		}
		if err := b.PublicKey.UnmarshalText([]byte(c.publicKey)); err != nil {
			return nil, err
		}
		b.Scheme, b.URL = c.scheme, fmt.Sprintf("/%s/public/%d", b.ChainHash, round)
		return b, nil
	}
	return nil, fmt.Errorf("this program knows no drand network %q", network)
}

// Due returns when the network publishes the round: at most the end of the year 9999. A round of a draw must be due
// after the close. Due returns an error if the network is not known.
func (b *Beacon) Due() (Time, error) {
	c, err := chainOf(b.ChainHash)
	if err != nil {
		return 0, err
	}
	if b.Round-1 > int64((lastTime-c.genesis)/c.period) {
		return lastTime, nil
	}
	return c.genesis + Time(b.Round-1)*c.period, nil
}

// chainOf returns the network with a chain hash. Its data is what /info of the network answers.
func chainOf(hash Hash) (chain, error) {
	switch hash.String() {
	case hashQuicknet:
		return chain{
			name: "quicknet", scheme: SchemeUnchained, genesis: 1692803367_000, period: 3_000,
			publicKey: "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451" +
				"0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a",
		}, nil
	case hashDefault:
		return chain{
			name: "default", scheme: SchemeChained, genesis: 1595431050_000, period: 30_000,
			publicKey: "868f005eb8e6e4ca0a47c8a77ceaa5309a47978a7c71bc5cce96366b5d7a569937c529eeda66c7293784a9402801af31",
		}, nil
	default:
		return chain{}, fmt.Errorf("beacon.chain_hash: this program knows no drand network with the chain hash %s", hash)
	}
}

// check returns an error if the beacon is not a round of a known network that comes after the close.
func (b *Beacon) check(closes Time) error {
	if err := checkText(b.URL, 1, MaxURL); err != nil {
		return fmt.Errorf("beacon.url: %w", err)
	}
	c, err := chainOf(b.ChainHash)
	switch {
	case err != nil:
		return err
	case hex.EncodeToString(b.PublicKey) != c.publicKey:
		return fmt.Errorf("beacon.public_key: the key of the drand network %s is another", c.name)
	case b.Scheme != c.scheme:
		return fmt.Errorf("beacon.scheme: the drand network %s uses %s", c.name, c.scheme)
	case b.Round < 1 || b.Round > maxNumber:
		return errors.New("beacon.round: must be from 1 to 9007199254740991")
	case b.Round <= int64((closes-c.genesis)/c.period)+1 && closes >= c.genesis:
		return fmt.Errorf("beacon.round: round %d was known before entries closed", b.Round)
	}
	return nil
}

// appendTerms appends what was fixed about the beacon when the draw was created.
func (b *Beacon) appendTerms(to []byte) []byte {
	to = append(appendText(to, b.URL), b.ChainHash[:]...)
	return appendNumber(appendText(appendText(to, []byte(b.PublicKey)), b.Scheme), b.Round)
}

// Verify returns an error if the randomness is not that of the signature, or the signature not the network's for the
// round.
func (b *Beacon) Verify() error {
	if b.Randomness != Hash(sha256.Sum256(b.Signature)) {
		return errors.New("the beacon's randomness is not the SHA-256 of its signature")
	}
	round := binary.BigEndian.AppendUint64(nil, uint64(b.Round))
	var valid bool
	switch b.Scheme {
	case SchemeUnchained:
		valid = len(b.PreviousSignature) == 0 && signed[bls.KeyG2SigG1](b, 48, round)
	case SchemeChained:
		valid = signed[bls.KeyG1SigG2](b, 96, append(bytes.Clone(b.PreviousSignature), round...))
	default:
		return fmt.Errorf("beacon.scheme: is none of %s and %s", SchemeUnchained, SchemeChained)
	}
	if !valid {
		return fmt.Errorf("the beacon's signature is not the network's for round %d", b.Round)
	}
	return nil
}

// signed reports whether the network signed the SHA-256 of what, with a signature of length bytes: a compressed point.
func signed[K bls.KeyGroup](b *Beacon, length int, what []byte) bool {
	var key bls.PublicKey[K]
	if len(b.Signature) != length || key.UnmarshalBinary(b.PublicKey) != nil {
		return false
	}
	digest := sha256.Sum256(what)
	return bls.Verify(&key, digest[:], b.Signature)
}
