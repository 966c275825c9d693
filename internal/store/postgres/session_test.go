package postgres_test

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/operator"
	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/postgres"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/storetest"
)

// mattering returns settings of a role that break a shop whose connections do not get our settings, each with a value
// that does. TestSession_EverySettingOfARole (make soak) finds them among all settings, and fails if one is missing
// here. Two matter only in combination: client_min_messages (TestRunBatch_OnlyAWarningAtCommitCounts) and
// default_transaction_isolation (below).
func mattering() map[string]string {
	return map[string]string{
		"client_encoding":                     "LATIN1",
		"exit_on_error":                       "on",
		"search_path":                         "decoy, pg_catalog",
		"statement_timeout":                   "1",
		"transaction_timeout":                 "1",
		"idle_session_timeout":                "400",
		"idle_in_transaction_session_timeout": "1",
	}
}

// mayRefuse returns the message for each setting that matters but that we cannot set.
func mayRefuse() map[string]string {
	return map[string]string{
		"default_transaction_read_only": "default_transaction_read_only is on (set for the role: ALTER ROLE",
		"session_replication_role":      "session_replication_role is ",
	}
}

// shop is a database and a role that serves it and is not a superuser.
type shop struct {
	url, role string
	admin     *pgx.Conn
	lives     int
	rests     bool          // pauses for longer than the idle timeouts, between transactions and inside them
	waits     time.Duration // how long a batch waits for the lock of its drop
}

func newShop(t testing.TB) *shop {
	t.Helper()
	owner := pgtest.Migrated(t)
	sh := &shop{admin: connect(t, owner), role: fmt.Sprintf("sneakerdrop_session_%x", newBatch())}
	exec(t, sh.admin, `CREATE ROLE `+sh.role+` LOGIN`)
	t.Cleanup(func() {
		_, _ = sh.admin.Exec(context.Background(), `DROP OWNED BY `+sh.role)
		_, _ = sh.admin.Exec(context.Background(), `DROP ROLE `+sh.role)
	})
	exec(t, sh.admin, `GRANT ALL ON SCHEMA sneakerdrop TO `+sh.role)
	exec(t, sh.admin, `GRANT ALL ON ALL TABLES IN SCHEMA sneakerdrop TO `+sh.role)
	exec(t, sh.admin, `GRANT ALL ON ALL SEQUENCES IN SCHEMA sneakerdrop TO `+sh.role)
	// This is found before PostgreSQL's own objects if the search path says so.
	exec(t, sh.admin, `CREATE SCHEMA decoy`)
	exec(t, sh.admin, `GRANT USAGE ON SCHEMA decoy TO PUBLIC`)
	exec(t, sh.admin, `CREATE FUNCTION decoy.floor(numeric) RETURNS numeric LANGUAGE sql AS 'SELECT -1::numeric'`)
	exec(t, sh.admin, `CREATE FUNCTION decoy.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$SELECT '1970-01-01'::timestamptz$$`)
	cfg := sh.admin.Config()
	sh.url = fmt.Sprintf("postgres://%s@%s:%d/%s?sslmode=disable", sh.role, cfg.Host, cfg.Port, cfg.Database)
	return sh
}

// set gives the role a setting until the returned function is called. It fails if PostgreSQL refuses the value.
func (sh *shop) set(t testing.TB, name, value string) (reset func(), err error) {
	t.Helper()
	assigned := "'" + strings.ReplaceAll(value, "'", "''") + "'"
	if name == "search_path" {
		assigned = value // a list
	}
	if _, err := sh.admin.Exec(t.Context(), `ALTER ROLE `+sh.role+` SET `+name+` = `+assigned); err != nil {
		return nil, err
	}
	return func() { exec(t, sh.admin, `ALTER ROLE `+sh.role+` RESET `+name) }, nil
}

// live runs a short life of the shop, and returns the answers or the error.
func (sh *shop) live(ctx context.Context, parameters string, o postgres.Options) (err error) {
	sh.lives++
	o.Log, o.Connections = slog.New(slog.DiscardHandler), 2
	s, err := postgres.Open(ctx, sh.url+parameters, o)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	l := &life{Store: s, ctx: ctx, sh: sh}
	defer func() {
		if r := recover(); r != nil {
			err = r.(error)
		}
	}()
	l.run()
	return nil
}

// life calls a store, and panics with the first unexpected error.
type life struct {
	*postgres.Store

	ctx context.Context
	sh  *shop
	id  drop.ID
}

func (l *life) must(err error) {
	if err != nil {
		panic(err)
	}
}

func (l *life) want(what string, got, want any) {
	if fmt.Sprint(got) != fmt.Sprint(want) {
		panic(fmt.Errorf("%s: %v, want %v", what, got, want))
	}
}

func (l *life) batch(cmds ...drop.Command) (results []drop.Result) {
	l.must(l.RunBatch(l.ctx, &storetest.Batch{
		Drop: l.id, Need: drop.NeedOf(cmds),
		Decider: func(s *drop.State, now drop.Time) *drop.Changes {
			if l.sh.rests {
				time.Sleep(20 * time.Millisecond)
			}
			var changes *drop.Changes
			results, changes = drop.Apply(s, now, newBatch(), cmds)
			return changes
		},
	}))
	return results
}

func (l *life) run() {
	l.must(l.Ready(l.ctx))
	n := l.sh.lives
	name := fmt.Sprintf(`Zoë "Ñandú" \o/ 山田 ‘€’ ß %d`, n)
	key := drop.NewKey("", "op", fmt.Sprint("k", n), drop.Asked(strconv.Itoa(n)))
	u, _, err := l.EnsureUser(l.ctx, name, fmt.Sprintf("zoë%d@example.com", n), key)
	l.must(err)
	again, replayed, err := l.EnsureUser(l.ctx, name, fmt.Sprintf("zoë%d@example.com", n), key)
	l.must(err)
	l.want("it is a replay", replayed, true)
	l.want("the buyer again", again, u)
	l.stored("users", "username", int64(u.ID), name)
	before := drop.TimeOf(time.Now().Add(-time.Minute))
	snapshot, _, err := l.CreateDrop(l.ctx, drop.Spec{
		Name: name, Price: 12995, Sizes: []drop.SizeSpec{{Label: "9½", Stock: 3}, {Label: "NULL", Stock: 2}}, StartTime: before,
	}, newBatch(), drop.Key{})
	l.must(err)
	l.id = snapshot.Drop.ID
	l.want("the time", snapshot.Now > before && snapshot.Now < before+120_000, true)
	l.stored("drops", "name", int64(l.id), name)
	l.sell(u.ID, n)
	l.read(u, name)
	_, err = l.EnsureSubjects(l.ctx, []drop.Subject{{Issuer: "https://ïd.example", Subject: fmt.Sprint("ü", n), Username: name}})
	l.must(err)
	action, err := l.Record(l.ctx, operator.Action{Call: "pause", Drop: l.id, Detail: name})
	l.must(err)
	l.must(l.Conclude(l.ctx, action, "ok"))
	_, err = l.Forget(l.ctx, before, 10)
	l.must(err)
	l.refuse()
}

// sell reserves, purchases, cancels, and lets a hold end.
func (l *life) sell(user drop.UserID, n int) {
	k := drop.Keyed{Key: drop.NewKey("ä", "reserve", fmt.Sprint("k", n), drop.Asked(strconv.Itoa(n))), Command: drop.Reserve{User: user, Size: "9½", Hold: time.Hour}}
	first := l.batch(k, drop.Reserve{User: 7, Size: "NULL", Hold: time.Hour}, drop.Reserve{User: 8, Size: "9½", Hold: time.Millisecond})
	for _, r := range first {
		l.want("a reserve", r.Err, (*drop.Error)(nil))
	}
	time.Sleep(2 * time.Millisecond) // the third hold ends
	if l.sh.rests {
		time.Sleep(600 * time.Millisecond)
	}
	l.want("the answer kept", l.batch(k)[0].Reservation.ID, first[0].Reservation.ID)
	l.want("a purchase", l.batch(drop.MakePurchase{Reservation: first[0].Reservation.ID})[0].Err, (*drop.Error)(nil))
	l.want("a cancel", l.batch(drop.Cancel{Reservation: first[1].Reservation.ID})[0].Err, (*drop.Error)(nil))
	late := l.batch(drop.MakePurchase{Reservation: first[2].Reservation.ID})[0].Err
	l.want("a purchase too late", late != nil && late.Code == drop.CodeReservationExpired, true)
	l.wait()
}

// wait runs a batch that waits for the drop's lock. However fast the machine is, its statement takes long. However busy
// it is, a time-out of 1 ms comes within a second.
func (l *life) wait() {
	tx, err := l.sh.admin.Begin(l.ctx)
	l.must(err)
	defer func() { _ = tx.Rollback(l.ctx) }() // does nothing after the one below
	_, err = tx.Exec(l.ctx, `SELECT FROM sneakerdrop.drops WHERE id = $1 FOR UPDATE`, l.id)
	l.must(err)
	done := make(chan error, 1)
	go func() {
		done <- l.RunBatch(l.ctx, &storetest.Batch{
			Drop: l.id, Decider: func(*drop.State, drop.Time) *drop.Changes { return nil },
		})
	}()
	for waits := false; !waits; {
		l.must(tx.QueryRow(l.ctx, `SELECT EXISTS (
			SELECT FROM pg_stat_activity WHERE usename = $1 AND wait_event_type = 'Lock' AND query_start < clock_timestamp() - make_interval(secs => $2))`,
			l.sh.role, l.sh.waits.Seconds()).Scan(&waits))
		select {
		case err := <-done:
			l.must(err)
			panic(errors.New("a batch did not wait for the drop's lock"))
		default:
		}
	}
	l.must(tx.Rollback(l.ctx))
	l.must(<-done)
}

func (l *life) read(u drop.User, name string) {
	snapshot, err := l.Drop(l.ctx, l.id)
	l.must(err)
	l.want("the stock", snapshot.Drop.Stock(), drop.Stock{Total: 5, Available: 4, Held: 0, Sold: 1})
	l.want("the name", snapshot.Drop.Name, name)
	l.want("who bought", snapshot.Recent[0].Username, name)
	all, err := l.Drops(l.ctx)
	l.must(err)
	l.want("the list", len(all) > 0, true)
	sales, err := l.Purchases(l.ctx, l.id, 0, 10)
	l.must(err)
	l.want("the sale", fmt.Sprint(len(sales), sales[0].Username, sales[0].Size), fmt.Sprint(1, name, "9½"))
	ledger, err := l.Ledger(l.ctx, l.id, 0, 100)
	l.must(err)
	l.want("the ledger", len(ledger), 7)
	mine, err := l.Reservations(l.ctx, u.ID, 10)
	l.must(err)
	l.want("what is mine", fmt.Sprint(len(mine), mine[0].Status), fmt.Sprint(1, drop.Completed))
	_, err = l.Pulse(l.ctx)
	l.must(err)
	_, err = l.Actions(l.ctx, 0, 5)
	l.must(err)
	_, err = l.Tokens(l.ctx)
	l.must(err)
	kept := 0
	l.must(l.ReadBooks(l.ctx, l.id, store.Books{
		Head: func(*drop.State) error { return nil }, Entry: func(drop.LedgerEntry) error { return nil },
		Reservation: func(drop.Reservation) error { kept++; return nil }, Purchase: func(drop.Purchase) error { return nil },
	}))
	l.want("the books", kept, 3)
}

// refuse makes a batch fail as it should: with an error, not with a lost connection.
func (l *life) refuse() {
	err := l.RunBatch(l.ctx, &storetest.Batch{Drop: l.id, Need: drop.NeedOf(nil), Decider: func(s *drop.State, now drop.Time) *drop.Changes {
		_, changes := drop.Apply(s, now, newBatch(), []drop.Command{drop.Restock{Add: 1, Size: "9½"}})
		s.Sizes[0].Stock.Held++
		return changes
	}})
	l.want("what breaks a rule", store.ClassOf(err), store.ClassFault)
}

// stored compares the bytes in a column with the expected ones.
func (l *life) stored(table, column string, id int64, want string) {
	var got string
	l.must(l.sh.admin.QueryRow(l.ctx, `SELECT encode(convert_to(`+column+`, 'UTF8'), 'hex') FROM sneakerdrop.`+table+` WHERE id = $1`, id).Scan(&got))
	l.want(table+"."+column, got, hex.EncodeToString([]byte(want)))
}

// Each setting known to matter breaks a shop whose connections do not get our settings, but not one whose connections
// do.
func TestSession_WhatMattersIsSetByUs(t *testing.T) {
	sh := newShop(t)
	for _, parameters := range []string{"", "&default_query_exec_mode=exec"} {
		if err := sh.live(t.Context(), parameters, postgres.Options{}); err != nil {
			t.Fatalf("as PostgreSQL has it by default (%s): %v", parameters, err)
		}
	}
	settings := mattering()
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		reset, err := sh.set(t, name, settings[name])
		if err != nil {
			t.Logf("%s: not here: %v", name, err)
			continue
		}
		sh.rests, sh.waits = strings.HasPrefix(name, "idle_"), 5*time.Millisecond
		if err := sh.live(t.Context(), "", postgres.Options{}); err != nil {
			t.Errorf("%s = %s: %v", name, settings[name], err)
		}
		sh.waits = time.Second
		if err := sh.live(t.Context(), "", postgres.Unpinned()); err == nil {
			t.Errorf("%s = %s does not matter", name, settings[name])
		}
		reset()
	}
}

// A statement that is its own transaction waits for another and continues. With a stricter isolation level from the
// role it would fail.
func TestSession_StatementsSeeWhatOthersCommitted(t *testing.T) {
	sh := newShop(t)
	reset, err := sh.set(t, "default_transaction_isolation", "serializable")
	if err != nil {
		t.Fatal(err)
	}
	defer reset()
	for _, o := range []postgres.Options{{}, postgres.Unpinned()} {
		o.Log = slog.New(slog.DiscardHandler)
		s, err := postgres.Open(t.Context(), sh.url, o)
		if err != nil {
			t.Fatal(err)
		}
		subject := []drop.Subject{{Issuer: "i", Subject: "s", Username: "Ann"}}
		if _, err := s.EnsureSubjects(t.Context(), subject); err != nil {
			t.Fatal(err)
		}
		tx, err := sh.admin.Begin(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), `UPDATE sneakerdrop.users SET username = 'Bea'`); err != nil {
			t.Fatal(err)
		}
		renamed := make(chan error, 1)
		go func() {
			subject[0].Username = "Cleo"
			_, err := s.EnsureSubjects(t.Context(), subject)
			renamed <- err
		}()
		awaitLockWait(t, connect(t, sh.url+"&application_name=watch"))
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		switch err := <-renamed; {
		case o == postgres.Options{Log: o.Log} && err != nil:
			t.Error(err)
		case o != postgres.Options{Log: o.Log} && store.ClassOf(err) != store.ClassRolledBack:
			t.Errorf("without our settings: %v, want a conflict", err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}
