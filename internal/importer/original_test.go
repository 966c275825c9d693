package importer_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"sneakerdrop/internal/testing/pgtest"
)

// tables are the tables that Sequelize's sync makes for the original's models.
const tables = `
CREATE TABLE "Users" (
	"id" SERIAL PRIMARY KEY, "username" VARCHAR(255) NOT NULL UNIQUE, "email" VARCHAR(255),
	"createdAt" TIMESTAMP WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP WITH TIME ZONE NOT NULL);
CREATE TABLE "Drops" (
	"id" SERIAL PRIMARY KEY, "name" VARCHAR(255) NOT NULL, "price" DECIMAL(10,2) NOT NULL,
	"total_stock" INTEGER NOT NULL, "available_stock" INTEGER NOT NULL,
	"start_time" TIMESTAMP WITH TIME ZONE NOT NULL, "image_url" VARCHAR(255),
	"createdAt" TIMESTAMP WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP WITH TIME ZONE NOT NULL);
CREATE TYPE "public"."enum_Reservations_status" AS ENUM('active', 'completed', 'expired', 'cancelled');
CREATE TABLE "Reservations" (
	"id" SERIAL PRIMARY KEY, "status" "public"."enum_Reservations_status" DEFAULT 'active',
	"expires_at" TIMESTAMP WITH TIME ZONE NOT NULL,
	"createdAt" TIMESTAMP WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP WITH TIME ZONE NOT NULL,
	"userId" INTEGER REFERENCES "Users" ("id") ON DELETE SET NULL ON UPDATE CASCADE,
	"dropId" INTEGER REFERENCES "Drops" ("id") ON DELETE SET NULL ON UPDATE CASCADE);
CREATE TABLE "Purchases" (
	"id" SERIAL PRIMARY KEY,
	"createdAt" TIMESTAMP WITH TIME ZONE NOT NULL, "updatedAt" TIMESTAMP WITH TIME ZONE NOT NULL,
	"userId" INTEGER REFERENCES "Users" ("id") ON DELETE SET NULL ON UPDATE CASCADE,
	"dropId" INTEGER REFERENCES "Drops" ("id") ON DELETE SET NULL ON UPDATE CASCADE);`

// origin is a database of the original backend.
type origin struct {
	url  string
	pool *pgxpool.Pool
}

func newOrigin(t *testing.T, statements ...string) *origin {
	t.Helper()
	o := &origin{url: pgtest.Database(t)}
	cfg, err := pgxpool.ParseConfig(o.url)
	if err != nil {
		t.Fatal(err)
	}
	cfg.MaxConns = 40
	cfg.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
	if o.pool, err = pgxpool.NewWithConfig(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.pool.Close)
	for _, s := range statements {
		o.exec(t, s)
	}
	return o
}

func (o *origin) exec(t *testing.T, sql string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), o.url) // several statements at once
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.PgConn().Exec(t.Context(), sql).ReadAll(); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func (o *origin) number(t *testing.T, sql string) (n int) {
	t.Helper()
	if err := o.pool.QueryRow(t.Context(), sql).Scan(&n); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return n
}

// checksum covers all rows of all four tables and their locations, so that even an UPDATE without changes shows.
func (o *origin) checksum(t *testing.T) string {
	t.Helper()
	var sums []string
	for _, table := range []string{"Users", "Drops", "Reservations", "Purchases"} {
		var sum string
		err := o.pool.QueryRow(t.Context(), fmt.Sprintf(
			`SELECT count(*) || md5(coalesce(string_agg(x::text || x.ctid || x.xmin, ',' ORDER BY x.ctid), '')) FROM %q x`, table)).Scan(&sum)
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, sum)
	}
	return strings.Join(sums, " ")
}

// errRefused is an orderly refusal by the original: sold out, expired.
var errRefused = errors.New("refused")

// pause is the time that passes in Node between a read and the write that depends on it.
func pause() { time.Sleep(time.Duration(rand.IntN(4)) * time.Millisecond) }

// reserve works as the original does: check, then write, with nothing locked in between. It stores an unknown user as
// null.
func (o *origin) reserve(ctx context.Context, dropID int, user any, hold time.Duration) (id int, err error) {
	var left int
	if err := o.pool.QueryRow(ctx, `SELECT available_stock FROM "Drops" WHERE id = $1`, dropID).Scan(&left); err != nil {
		return 0, err
	}
	if left <= 0 {
		return 0, errRefused
	}
	pause()
	if _, err := o.pool.Exec(ctx, `UPDATE "Drops" SET available_stock = $2, "updatedAt" = now() WHERE id = $1`, dropID, left-1); err != nil {
		return 0, err
	}
	err = o.pool.QueryRow(ctx, `INSERT INTO "Reservations" ("userId", "dropId", status, expires_at, "createdAt", "updatedAt")
		VALUES ($1, $2, 'active', $3, now(), now()) RETURNING id`, user, dropID, time.Now().Add(hold)).Scan(&id)
	return id, err
}

// purchase reads the status, then writes, with nothing locked in between.
func (o *origin) purchase(ctx context.Context, reservation int) error {
	if err := o.check(ctx, reservation); err != nil {
		return err
	}
	pause()
	if _, err := o.record(ctx, reservation); err != nil {
		return err
	}
	pause()
	return o.mark(ctx, reservation)
}

// check is the first step of a purchase.
func (o *origin) check(ctx context.Context, reservation int) error {
	var status string
	var expires time.Time
	err := o.pool.QueryRow(ctx, `SELECT status::text, expires_at FROM "Reservations" WHERE id = $1`, reservation).Scan(&status, &expires)
	if err == nil && (status != "active" || time.Now().After(expires)) {
		err = errRefused
	}
	return err
}

// record is the second step: from here on the buyer has paid.
func (o *origin) record(ctx context.Context, reservation int) (id int, err error) {
	err = o.pool.QueryRow(ctx, `INSERT INTO "Purchases" ("userId", "dropId", "createdAt", "updatedAt")
		SELECT "userId", "dropId", clock_timestamp(), clock_timestamp() FROM "Reservations" WHERE id = $1 RETURNING id`, reservation).Scan(&id)
	return id, err
}

// mark is the last step.
func (o *origin) mark(ctx context.Context, reservation int) error {
	_, err := o.pool.Exec(ctx, `UPDATE "Reservations" SET status = 'completed', "updatedAt" = clock_timestamp() WHERE id = $1`, reservation)
	return err
}

// expire is one run of the original's job. It reads which holds have ended and then releases each unit, whatever
// happened meanwhile.
func (o *origin) expire(ctx context.Context) error {
	rows, err := o.pool.Query(ctx, `SELECT id, "dropId" FROM "Reservations" WHERE status = 'active' AND expires_at < now()`)
	if err != nil {
		return err
	}
	type due struct{ ID, Drop int }
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[due])
	if err != nil {
		return err
	}
	pause()
	for _, d := range all {
		if _, err := o.pool.Exec(ctx, `UPDATE "Reservations" SET status = 'expired', "updatedAt" = now() WHERE id = $1`, d.ID); err != nil {
			return err
		}
		if _, err := o.pool.Exec(ctx, `UPDATE "Drops" SET available_stock = available_stock + 1 WHERE id = $1`, d.Drop); err != nil {
			return err
		}
	}
	return nil
}

// rush lets 400 concurrent buyers reserve and buy from two drops while the job runs. Some click twice. It returns how
// often each user was told of a purchase.
func (o *origin) rush(t *testing.T) (paid map[int]int) {
	t.Helper()
	ctx := t.Context()
	paid = make(map[int]int)
	var mu sync.Mutex
	stop := make(chan struct{})
	var job, buyers sync.WaitGroup
	job.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				if err := o.expire(ctx); err != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	buy := func(user, reservation int) {
		switch err := o.purchase(ctx, reservation); {
		case err == nil:
			mu.Lock()
			paid[user]++
			mu.Unlock()
		case !errors.Is(err, errRefused):
			t.Error(err)
		}
	}
	for user := 1; user <= 400; user++ {
		buyers.Go(func() {
			for try := range 3 {
				id, err := o.reserve(ctx, 1+user%2, user, time.Duration(100+rand.IntN(500))*time.Millisecond)
				if errors.Is(err, errRefused) {
					time.Sleep(100 * time.Millisecond) // sold out for now; holds may be released
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if (user+try)%5 == 0 {
					continue // changes their mind, and the job releases the unit
				}
				var clicks sync.WaitGroup
				for range 1 + (user+try)%3 {
					clicks.Go(func() { buy(user, id) })
				}
				clicks.Wait()
			}
		})
	}
	buyers.Wait()
	close(stop)
	job.Wait()
	return paid
}
