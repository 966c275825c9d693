package memory

import (
	"context"
	"errors"
	"slices"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
)

// operators are the tokens and the log, each in the order of its numbers.
type operators struct {
	tokens  []operator.Token
	byHash  map[operator.Hash]operator.TokenID
	actions []operator.Action
}

// CreateToken implements store.Store.
func (s *Store) CreateToken(ctx context.Context, t operator.Token, hash operator.Hash) (operator.Token, error) {
	const op = "create a token"
	if err := s.begin(ctx, op); err != nil {
		return operator.Token{}, err
	}
	defer s.calls.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	o := &s.operators
	if _, taken := o.byHash[hash]; taken {
		return operator.Token{}, &store.Error{Op: op, Class: store.ClassFault, Err: errors.New("the token is there already")}
	}
	t.ID, t.CreatedAt, t.RevokedAt = operator.TokenID(len(o.tokens)+1), s.now(), 0
	o.tokens = append(o.tokens, t)
	o.byHash[hash] = t.ID
	return t, nil
}

// Token implements store.Store.
func (s *Store) Token(ctx context.Context, hash operator.Hash) (operator.Token, error) {
	if err := s.begin(ctx, "find a token"); err != nil {
		return operator.Token{}, err
	}
	defer s.calls.Done()
	s.mu.RLock()
	defer s.mu.RUnlock()
	id, ok := s.operators.byHash[hash]
	if !ok {
		return operator.Token{}, drop.Refuse(drop.CodeTokenNotFound)
	}
	return s.operators.tokens[id-1], nil
}

// Tokens implements store.Store.
func (s *Store) Tokens(ctx context.Context) ([]operator.Token, error) {
	if err := s.begin(ctx, "list the tokens"); err != nil {
		return nil, err
	}
	defer s.calls.Done()
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(s.operators.tokens), nil
}

// RevokeToken implements store.Store.
func (s *Store) RevokeToken(ctx context.Context, id operator.TokenID) (operator.Token, error) {
	if err := s.begin(ctx, "revoke a token"); err != nil {
		return operator.Token{}, err
	}
	defer s.calls.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	if id < 1 || id > operator.TokenID(len(s.operators.tokens)) {
		return operator.Token{}, drop.Refuse(drop.CodeTokenNotFound)
	}
	t := &s.operators.tokens[id-1]
	if !t.Revoked() {
		t.RevokedAt = s.now()
	}
	return *t, nil
}

// Record implements store.Store.
func (s *Store) Record(ctx context.Context, a operator.Action) (operator.ActionID, error) {
	if err := s.begin(ctx, "record an action"); err != nil {
		return 0, err
	}
	defer s.calls.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	a.ID, a.At, a.Outcome = operator.ActionID(len(s.operators.actions)+1), s.now(), ""
	s.operators.actions = append(s.operators.actions, a)
	return a.ID, nil
}

// Conclude implements store.Store.
func (s *Store) Conclude(ctx context.Context, id operator.ActionID, outcome string) error {
	const op = "record the outcome of an action"
	if err := s.begin(ctx, op); err != nil {
		return err
	}
	defer s.calls.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	log := s.operators.actions
	if id < 1 || id > operator.ActionID(len(log)) || log[id-1].Outcome != "" || outcome == "" {
		return &store.Error{Op: op, Class: store.ClassFault, Err: errors.New("there is no action without an outcome under that number")}
	}
	log[id-1].Outcome = outcome
	return nil
}

// Actions implements store.Store.
func (s *Store) Actions(ctx context.Context, before operator.ActionID, limit int) ([]operator.Action, error) {
	if err := s.begin(ctx, "read the log of actions"); err != nil {
		return nil, err
	}
	defer s.calls.Done()
	s.mu.RLock()
	defer s.mu.RUnlock()
	log := s.operators.actions
	if before > 0 && before <= operator.ActionID(len(log)) {
		log = log[:before-1]
	}
	page := slices.Clone(log[max(0, len(log)-max(limit, 0)):])
	slices.Reverse(page)
	return page, nil
}
