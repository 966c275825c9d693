package storetest

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
)

var operatorTests = []test{
	{"Token_KeepsEveryField", tokenKeepsEveryField},
	{"Token_UnknownIsRefused", unknownToken},
	{"Token_RevokedOnceForAll", revokedToken},
	{"Token_EachHashOnce", tokenHashOnce},
	{"Actions_KeepEveryField", actionKeepsEveryField},
	{"Actions_ConcludedOnce", actionConcludedOnce},
	{"Actions_NewestFirstInPages", actionsInPages},
	{"Actions_AtOnce", actionsAtOnce},
	{"Fill_LeavesTokensAndLog", fillLeavesOperators},
}

func (f *fixture) token(name string, role operator.Role, expires drop.Time) (operator.Token, operator.Hash) {
	f.Helper()
	_, hash := operator.Mint()
	t := operator.Token{Name: name, Role: role, ExpiresAt: expires}
	if err := t.Check(); err != nil {
		f.Fatalf("the test's own token: %v", err)
	}
	made, err := f.CreateToken(f.ctx, t, hash)
	if err != nil {
		f.Fatalf("CreateToken: %v", err)
	}
	return made, hash
}

func tokenKeepsEveryField(f *fixture) {
	var all []operator.Token
	for i, t := range []operator.Token{
		{Name: "Ann's laptop", Role: operator.Operator, ExpiresAt: base},
		{Name: strings.Repeat("👟", operator.MaxName), Role: operator.Viewer},
		{Name: `'; DROP TABLE tokens; --`, Role: operator.Viewer, ExpiresAt: time9999},
		{Name: "Ann's laptop", Role: operator.Operator, ExpiresAt: base},
	} {
		made, hash := f.token(t.Name, t.Role, t.ExpiresAt)
		if made.CreatedAt == 0 || made.ID < 1 || i > 0 && made.ID <= all[i-1].ID {
			f.Errorf("made %+v after %+v", made, all)
		}
		t.ID, t.CreatedAt = made.ID, made.CreatedAt
		equal(f, "CreateToken", made, t)
		got, err := f.Token(f.ctx, hash)
		if err != nil {
			f.Fatalf("Token: %v", err)
		}
		equal(f, "Token", got, t)
		all = append(all, t)
	}
	got, err := f.Tokens(f.ctx)
	if err != nil {
		f.Fatalf("Tokens: %v", err)
	}
	equal(f, "Tokens", got, all)
}

func unknownToken(f *fixture) {
	_, hash := operator.Mint()
	_, err := f.Token(f.ctx, hash)
	refused(f, "Token", err, drop.CodeTokenNotFound)
	made, _ := f.token("ann", operator.Viewer, 0)
	_, err = f.Token(f.ctx, operator.Hash{})
	refused(f, "Token of no hash", err, drop.CodeTokenNotFound)
	for _, id := range []operator.TokenID{0, -1, made.ID + 1} {
		_, err = f.RevokeToken(f.ctx, id)
		refused(f, fmt.Sprintf("RevokeToken(%d)", id), err, drop.CodeTokenNotFound)
	}
}

func revokedToken(f *fixture) {
	other, _ := f.token("bob", operator.Operator, base)
	made, hash := f.token("ann", operator.Operator, base)
	first, err := f.RevokeToken(f.ctx, made.ID)
	if err != nil || !first.Revoked() || first.RevokedAt < made.CreatedAt {
		f.Fatalf("RevokeToken: %+v, %v", first, err)
	}
	made.RevokedAt = first.RevokedAt
	equal(f, "RevokeToken", first, made)
	again, err := f.RevokeToken(f.ctx, made.ID)
	if err != nil {
		f.Fatalf("RevokeToken again: %v", err)
	}
	equal(f, "RevokeToken again", again, made)
	got, err := f.Token(f.ctx, hash)
	if err != nil {
		f.Fatalf("Token: %v", err)
	}
	equal(f, "Token", got, made)
	all, err := f.Tokens(f.ctx)
	if err != nil {
		f.Fatalf("Tokens: %v", err)
	}
	equal(f, "Tokens", all, []operator.Token{other, made})
}

func tokenHashOnce(f *fixture) {
	_, hash := operator.Mint()
	var made atomic.Int32
	all(20, func(int) {
		_, err := f.CreateToken(f.ctx, operator.Token{Name: "ann", Role: operator.Viewer}, hash)
		if err == nil {
			made.Add(1)
		} else if !isFault(err) {
			f.Errorf("CreateToken: %v", err)
		}
	})
	equal(f, "tokens of one hash", made.Load(), 1)
}

// action has something in every field except those that the store fills.
func action(call string) operator.Action {
	return operator.Action{
		Token: 7, Name: "Ann's laptop", Role: operator.Operator, Call: call, Drop: 3, Detail: `{"add":10}`,
		From: "2001:db8::1", Request: "a-b_c",
	}
}

func (f *fixture) record(a operator.Action) operator.ActionID {
	f.Helper()
	id, err := f.Record(f.ctx, a)
	if err != nil || id < 1 {
		f.Fatalf("Record: %d, %v", id, err)
	}
	return id
}

func (f *fixture) actions(before operator.ActionID, limit int) []operator.Action {
	f.Helper()
	page, err := f.Actions(f.ctx, before, limit)
	if err != nil {
		f.Fatalf("Actions: %v", err)
	}
	return page
}

func actionKeepsEveryField(f *fixture) {
	long := action("edit-drop")
	long.Detail, long.Name = strings.Repeat("'", operator.MaxDetail), strings.Repeat("👟", operator.MaxName)
	for _, a := range []operator.Action{action("restock"), long, {Call: "token-create"}} {
		a.ID = f.record(a)
		got := f.actions(0, 1)[0]
		if got.At == 0 {
			f.Errorf("no time: %+v", got)
		}
		a.At = got.At
		equal(f, "Actions", got, a)
		if err := f.Conclude(f.ctx, a.ID, "out_of_stock"); err != nil {
			f.Fatalf("Conclude: %v", err)
		}
		a.Outcome = "out_of_stock"
		equal(f, "Actions with the outcome", f.actions(0, 1)[0], a)
	}
}

func actionConcludedOnce(f *fixture) {
	id := f.record(action("pause"))
	if err := f.Conclude(f.ctx, id, "ok"); err != nil {
		f.Fatalf("Conclude: %v", err)
	}
	for _, bad := range []struct {
		id      operator.ActionID
		outcome string
	}{{id, "paused"}, {id, "ok"}, {id + 1000, "ok"}, {0, "ok"}, {f.record(action("resume")), ""}} {
		if err := f.Conclude(f.ctx, bad.id, bad.outcome); !isFault(err) {
			f.Errorf("Conclude(%d, %q) after %d: %v", bad.id, bad.outcome, id, err)
		}
	}
	log := f.actions(0, 10)
	equal(f, "outcomes", []string{log[0].Outcome, log[1].Outcome}, []string{"", "ok"})
}

func actionsInPages(f *fixture) {
	equal(f, "an empty log", len(f.actions(0, 10)), 0)
	var ids []operator.ActionID
	for range 12 {
		ids = append(ids, f.record(action("pause")))
	}
	slices.Reverse(ids)
	numbers := func(page []operator.Action) (got []operator.ActionID) {
		for _, a := range page {
			got = append(got, a.ID)
		}
		return got
	}
	equal(f, "the newest", numbers(f.actions(0, 5)), ids[:5])
	equal(f, "the next", numbers(f.actions(ids[4], 5)), ids[5:10])
	equal(f, "the last", numbers(f.actions(ids[9], 5)), ids[10:])
	equal(f, "before all", len(f.actions(ids[11], 5)), 0)
	equal(f, "of a number beyond", numbers(f.actions(ids[0]+100, 1)), ids[:1])
	equal(f, "none", len(f.actions(0, 0)), 0)
}

func actionsAtOnce(f *fixture) {
	const n = 50
	all(n, func(i int) {
		id, err := f.Record(f.ctx, action(fmt.Sprintf("call-%d", i)))
		if err == nil {
			err = f.Conclude(f.ctx, id, fmt.Sprintf("outcome-%d", i))
		}
		if err != nil {
			f.Errorf("action %d: %v", i, err)
		}
	})
	seen := make(map[string]bool)
	for _, a := range f.actions(0, 2*n) {
		if seen[a.Call] || a.Outcome != strings.Replace(a.Call, "call", "outcome", 1) {
			f.Errorf("%s ended in %s", a.Call, a.Outcome)
		}
		seen[a.Call] = true
	}
	equal(f, "actions", len(seen), n)
}

func fillLeavesOperators(f *fixture) {
	token, hash := f.token("ann", operator.Operator, base)
	f.record(action("pause"))
	f.create(plain(1))
	if err := store.Fill(f.ctx, f, nil, nil, true); err != nil {
		f.Fatalf("Fill: %v", err)
	}
	got, err := f.Token(f.ctx, hash)
	if err != nil {
		f.Fatalf("Token: %v", err)
	}
	equal(f, "Token", got, token)
	equal(f, "actions", len(f.actions(0, 10)), 1)
}
