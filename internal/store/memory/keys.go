package memory

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

// noDrop is the scope of the keys of calls without a drop.
const noDrop drop.ID = 0

// keys are the answers kept under idempotency keys.
type keys map[scope]drop.Kept

// scope identifies a key: its drop, and the key without the body. Each may be used once.
type scope struct {
	drop                     drop.ID
	caller, operation, value string
}

func scopeOf(id drop.ID, k *drop.Key) scope { return scope{id, k.Caller, k.Operation, k.Value} }

// load adds the answers that are kept under the keys that a batch needs, and no others.
func (k keys) load(s *drop.State, need []drop.Key) {
	for i := range need {
		if kept, ok := k[scopeOf(s.ID, &need[i])]; ok {
			kept.Answer = bytes.Clone(kept.Answer)
			s.LoadKept(kept)
		}
	}
}

// check refuses what a database's primary key refuses.
func (k keys) check(id drop.ID, kept []drop.Kept) error {
	seen := make(map[scope]bool, len(kept))
	for i := range kept {
		in := scopeOf(id, &kept[i].Key)
		if _, taken := k[in]; taken || seen[in] {
			return fmt.Errorf("%w: %q of %s", store.ErrKeyUsed, in.value, in.operation)
		}
		seen[in] = true
	}
	return nil
}

func (k keys) add(id drop.ID, kept []drop.Kept) {
	for _, one := range kept {
		one.Answer = bytes.Clone(one.Answer)
		k[scopeOf(id, &one.Key)] = one
	}
}

// replay returns the kept answer to a call without a drop whose key was used before. It refuses if the key was used
// for a different request.
func (k keys) replay(key drop.Key) (drop.Result, error) {
	kept, found := k[scopeOf(noDrop, &key)]
	if !key.Given() || !found {
		return drop.Result{}, nil
	}
	first := kept.Replay(key)
	if first.Err != nil {
		return drop.Result{}, first.Err
	}
	return first, nil
}

// keep stores the answer to a call without a drop, if the call has a key.
func (k keys) keep(key drop.Key, answer drop.Result, now drop.Time) {
	if key.Given() {
		k[scopeOf(noDrop, &key)] = drop.Kept{Key: key, Answer: answer.Encode(), At: now}
	}
}

// Forget implements store.Store. It deletes the oldest answers first.
func (s *Store) Forget(ctx context.Context, before drop.Time, limit int) (forgotten int, err error) {
	err = s.write(ctx, "forget old keys", func() error {
		var old []scope
		for in, kept := range s.keys {
			if kept.At < before {
				old = append(old, in)
			}
		}
		slices.SortFunc(old, func(a, b scope) int { return cmp.Compare(s.keys[a].At, s.keys[b].At) })
		old = old[:max(0, min(limit, len(old)))]
		for _, in := range old {
			delete(s.keys, in)
		}
		forgotten = len(old)
		return nil
	})
	return forgotten, err
}
