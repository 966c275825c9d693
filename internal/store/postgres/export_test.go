package postgres

import (
	"context"
	"io/fs"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"sneakerdrop/internal/store/records"
)

// Pool lets tests break the store's own connections.
func (s *Store) Pool() *pgxpool.Pool { return s.pool }

// Engine returns the store as package records sees it.
func (s *Store) Engine() records.Engine { return engine{s} }

// MigrateFiles migrates with other migrations than the embedded ones.
func (s *Store) MigrateFiles(ctx context.Context, files fs.FS) (from, to int, err error) {
	return s.migrate(ctx, files)
}

// MigrationFiles returns the embedded migrations.
func MigrationFiles() (fs.FS, error) { return fs.Sub(migrationFiles, "migrations") }

// Settings returns the settings of each connection.
func Settings() map[string]string { return settings(nil) }

// PlannedStatements returns the statements whose plan must not change, each with the indexes that it must use.
func PlannedStatements() map[string]PlannedStatement {
	return map[string]PlannedStatement{
		"runBatchLock":     {runBatchLock, "'{1}'", []string{"Backward using drops_pkey"}},
		"runBatchLockFree": {runBatchLockFree, "'{1,2}'", []string{"Backward using drops_pkey"}},
		"runBatchSizes": {runBatchSizes, "'{1,2}'", []string{
			"Index Only Scan Backward using sizes_pkey", "Index Scan Backward using sizes_pkey",
		}},
		"runBatchDue": {runBatchDue, "'{1,2}', '{5,6}'", []string{"reservations_active", "Backward using drops_pkey"}},
		"runBatchDeadline": {
			runBatchDeadline, "1",
			[]string{"reservations_active", "Backward using drops_pkey"},
		},
		"runBatchReservations": {
			runBatchReservations, "1, ARRAY[4294967297, 4294967298]::bigint[], ARRAY[0, 7]::bigint[]",
			[]string{"reservations_pkey", "users_pkey", "purchases_drop_id_reservation_id_key"},
		},
		"runBatchUsage": {
			runBatchUsage, "1, ARRAY[1, 2]::bigint[], true",
			[]string{"reservations_user on", "reservations_user_past on", "Backward using drops_pkey"},
		},
		"runBatchUsageLines": {
			runBatchUsageLines, "1, ARRAY[1, 2]::bigint[], true, 2, 4294967296",
			[]string{"reservations_user on", "reservations_user_past on", "Backward using drops_pkey", "waitlist_line"},
		},
		"runBatchLines":   {runBatchLines, "501, 2, 4294967296", []string{"waitlist_line", "Backward using drops_pkey"}},
		"runBatchEntries": {runBatchEntries, "501, '{2151778615297}'", []string{"waitlist_pkey"}},
		"runBatchWaiting": {runBatchWaiting, "501, '{7}'", []string{"waitlist_user"}},
		"runBatchWriteLeft": {
			runBatchWriteLeft, "'{2151778615297}', '{3}', '{5}', '{0}', '{\"\"}'",
			[]string{"waitlist_pkey", "Tid Scan"},
		},
		"runBatchEntrants":    {runBatchEntrants, "501, '{7}'", []string{"draw_entries_user"}},
		"runBatchDrawEntries": {runBatchDrawEntries, "501, '{2151778615297}'", []string{"draw_entries_pkey"}},
		"runBatchLinesOthers": {runBatchLinesOthers, "501, 2, 4294967296", []string{"waitlist_line", "waitlist_user", "Backward using drops_pkey"}},
		"runBatchWriteRedrawn": {
			runBatchWriteRedrawn, "'{2151778615297}', '{3}', '{\"\"}', '{0}'", []string{"draw_entries_pkey", "Tid Scan"},
		},
		"runBatchPasses": {
			runBatchPasses, `501, ARRAY[decode(repeat('01', 32), 'hex'), decode(repeat('02', 32), 'hex')]`, []string{"passes_hash on"},
		},
		"runBatchWriteUses": {runBatchWriteUses, "'{2151778615297}', '{1}'", []string{"passes_pkey on", "Tid Scan on passes"}},
		"readBooksPasses":   {ofOne(records.Passes), "501", []string{"passes_pkey"}},
		"drawEntriesOf":     {selects(records.DrawEntriesOf(501, 7)), "501, 7", []string{"draw_entries_user"}},
		"drawEntries":       {page(records.DrawEntries, false), "501, 5, 100", []string{"draw_entries_pkey"}},
		"entriesOf":         {selects(records.EntriesOf(501, 7)), "501, 7", []string{"waitlist_user"}},
		"line":              {page(records.Entries, false), "501, 5, 100", []string{"waitlist_pkey"}},
		"runBatchRecent":    {runBatchRecent, "1", []string{"purchases_pkey", "users_pkey"}},
		"runBatchKept": {
			runBatchKept, `1, '{"",""}', '{reserve,reserve}', '{k1,k2}'`,
			[]string{"idempotency_keys_pkey"},
		},
		"claimAnswer":           {claimAnswer, `0, '', 'create', 'k', ''`, []string{"idempotency_keys_pkey"}},
		"forgetKeys":            {forgetKeys, "5, 100", []string{"idempotency_keys_created", "Tid Scan"}},
		"purchasesSales":        {page(records.Sales, false), "501, 5, 100", []string{"purchases_pkey", "users_pkey"}},
		"newestPurchasesSales":  {page(records.Sales, true), "501, 9007199254740991, 100", []string{"Backward using purchases_pkey", "users_pkey"}},
		"ledgerEntries":         {page(records.Ledger, false), "501, 5, 100", []string{"ledger_pkey"}},
		"readBooksLedger":       {ofOne(records.Ledger), "501", []string{"ledger_pkey"}},
		"readBooksReservations": {ofOne(records.Reservations), "501", []string{"reservations_pkey"}},
		"readBooksPurchases":    {ofOne(records.Purchases), "501", []string{"purchases_pkey"}},
		"exportKept":            {ofOne(records.Keys), "501", []string{"idempotency_keys_pkey"}},
		"runBatchWriteDrops": {
			runBatchWriteDrops, "'{1}', '{\"(0,1)\"}', '{1}', '{1}', '{1}', '{1}', '{1}', '{00000000-0000-0000-0000-000000000001}'",
			[]string{"Tid Scan on drops"},
		},
		"runBatchWriteEdit": {
			runBatchWriteEdit, argumentsOf(records.Drops) + ", '(0,1)'",
			[]string{"Tid Scan on drops"},
		},
		"runBatchWriteSizes": {
			runBatchWriteSizes, "'{1}', '{\"(0,1)\"}', '{1}', '{1}', '{0}', '{0}', '{0}', '{0}'",
			[]string{"Tid Scan on sizes"},
		},
		"runBatchWriteEnded": {
			runBatchWriteEnded, "'{4294967297}', '{3}', '{5}'",
			[]string{"reservations_pkey", "Tid Scan"},
		},
		"committedLedger": {
			committedLedger, "1, 5, '00000000-0000-0000-0000-000000000001'",
			[]string{"ledger_pkey"},
		},
		"dropDrop":                 {dropDrop, "1, 5", []string{"drops_pkey", "reservations_active"}},
		"pulseDrops":               {pulseDrops, "'{\"1\":5}'", []string{"reservations_active"}},
		"dropsRecent":              {dropsRecent, "", []string{"purchases_pkey", "users_pkey"}},
		"reservationsReservations": {reservationsReservations, "1, 10", []string{"reservations_user on", "reservations_user_past on"}},
		"ensureSubjects":           {ensureSubjects, "'{i,i}', '{1,2}'", []string{"users_subject"}},
		"ensureSubjectsUpdate":     {ensureSubjectsUpdate, "'{1,2}', '{a,b}', '{a,b}', '{A,B}'", []string{"users_pkey"}},
		"actionsPage":              {page(records.Actions, true), "5, 10", []string{"actions_pkey", "outcomes_pkey"}},
		"duePayments":              {selects(records.Due(5, 5, 100)), "5, 5, 100", []string{"payments_unsettled"}},
		"paymentsFor":              {selects(records.OfUnit(5)), "4294967297, 1", []string{"reservations_pkey"}},
		"paymentsOfDrop":           {selects(records.OfDrop(1)), "4294967296, 8589934591", []string{"payments_reservation"}},
		"runBatchPayments":         {runBatchPayments, "'{1,2}'", []string{"payments_pkey"}},
		"ensureUserByName":         {ensureUserByName, "'ann'", []string{"users_username"}},
	}
}

func page(t *records.Table, newest bool) string {
	return selects(records.Query{Table: t, Page: &records.Page{Newest: newest}})
}

// selects is the statement of a query.
func selects(q records.Query) string {
	sql, _ := dialect.Select(&q)
	return sql
}

func ofOne(t *records.Table) string {
	return selects(records.Query{Table: t})
}

// argumentsOf returns one argument for each column of a table.
func argumentsOf(t *records.Table) string {
	literals := map[records.Kind]string{
		records.Number: "1", records.Small: "1", records.Flag: "true", records.Text: "'Air'", records.UUID: "'00000000-0000-0000-0000-000000000001'",
	}
	var all []string
	for _, c := range t.Columns {
		all = append(all, literals[c.Kind])
	}
	return strings.Join(all, ", ")
}

// PlannedStatement is a statement, its arguments as SQL text, and the indexes that its plan must name.
type PlannedStatement struct {
	SQL, Arguments string
	Indexes        []string
}

// Turns sets how many transactions of batches may occupy slots, and for how long each does.
func (s *Store) Turns(most int, patience time.Duration) {
	s.groups.most, s.groups.turnTime = most, patience
}

// Waiting returns how many batches wait for their turn.
func (s *Store) Waiting() int {
	s.groups.mu.Lock()
	defer s.groups.mu.Unlock()
	return len(s.groups.waiting)
}

// Unpinned returns options for a store that gives its connections no settings.
func Unpinned() Options { return Options{unpinned: true} }
