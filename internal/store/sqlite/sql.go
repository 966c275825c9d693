package sqlite

import "sneakerdrop/internal/store/records"

// This file has all SQL of the package, except the schema (migrations) and what controls a connection (BEGIN,
// PRAGMA). A statement is named after the method that uses it, or after what several share. A drop's rows are always
// found by a key that starts with drop_id; a test lists the exceptions. Statements for cold data come from package
// records.

// The columns of records.Drops.
const sqlDrop = `
SELECT id, name, price, start_time, coalesce(image_url, ''), limit_per_user, max_expired_holds, paused, hidden, archived,
       version, created_at, last_at, seq, reserved, purchased, batch, waitlist, offer_for, max_waiting, offers_count,
       waited, line_closed, coalesce(draw, ''), draw_phase, entered, lined, coalesce(access, '')
FROM drops
WHERE id = ?1`

const sqlDropSizes = `
SELECT label, total, available, held, sold, waiting, pending
FROM sizes
WHERE drop_id = ?1
ORDER BY position`

const sqlDropRecent = `
SELECT p.id, u.username, p.created_at, coalesce(u.public_name, '')
FROM purchases p
LEFT JOIN users u ON u.id = p.user_id
WHERE p.drop_id = ?1
ORDER BY p.id DESC
LIMIT ?2 + 0`

const sqlDropDeadline = `
SELECT expires_at
FROM reservations
WHERE drop_id = ?1 AND status = 1
ORDER BY expires_at, id
LIMIT 1`

const sqlRunBatchDue = `
SELECT id, user_id, size, status, created_at, expires_at, ended_at, payment, claim, offer, pass
FROM reservations
WHERE drop_id = ?1 AND status = 1 AND expires_at <= ?2
ORDER BY expires_at, id
LIMIT ?3 + 0`

// The earliest end after the last hold that was loaded as due.
const sqlRunBatchDeadline = `
SELECT expires_at
FROM reservations
WHERE drop_id = ?1 AND status = 1 AND expires_at >= ?2 AND (expires_at, id) > (?2, ?3)
ORDER BY expires_at, id
LIMIT 1`

const sqlRunBatchReservation = `
SELECT r.id, r.user_id, r.size, r.status, r.created_at, r.expires_at, r.ended_at, r.payment, r.claim, r.offer, r.pass,
       u.username, coalesce(u.public_name, ''), p.id, p.price, p.created_at, p.returned, p.returned_at
FROM reservations r
LEFT JOIN users u ON u.id = r.user_id
LEFT JOIN purchases p ON p.drop_id = r.drop_id AND p.reservation_id = r.id
WHERE r.drop_id = ?1 AND r.id = ?2 AND ?3 IN (0, r.user_id)`

const sqlRunBatchSold = `
SELECT id, reservation_id, user_id, size, price, created_at, returned, returned_at
FROM purchases
WHERE drop_id = ?1 AND id = ?2`

// Completed reservations come first, then the newest. The limit only leaves out old ones, and one of those that is
// still active is past its end.
const sqlRunBatchUsage = `
SELECT id, user_id, size, status, created_at, expires_at, ended_at, payment, claim, offer, pass
FROM reservations
WHERE drop_id = ?1 AND user_id = ?2 AND status <= 2
ORDER BY status DESC, id DESC
LIMIT ?3 + 0`

// Used only if the drop has the rule, or is about to get it. The rule itself keeps these rows few.
const sqlRunBatchUnpaid = `
SELECT count(*), coalesce(max(ended_at), 0)
FROM reservations
WHERE drop_id = ?1 AND user_id = ?2 AND status > 2 AND (offer IS NULL OR ?3)`

// The parameters are numbered like the columns in records.Drops. created_at (?12) does not change.
const sqlRunBatchUpdateDrop = `
UPDATE drops
SET name = ?2, price = ?3, start_time = ?4, image_url = ?5, limit_per_user = ?6, max_expired_holds = ?7,
    paused = ?8, hidden = ?9, archived = ?10, version = ?11, last_at = ?13, seq = ?14,
    reserved = ?15, purchased = ?16, batch = ?17, waitlist = ?18, offer_for = ?19, max_waiting = ?20,
    offers_count = ?21, waited = ?22, line_closed = ?23, draw = ?24, draw_phase = ?25, entered = ?26, lined = ?27,
    access = ?28
WHERE id = ?1`

const sqlRunBatchUpdateSize = `
UPDATE sizes
SET total = ?3, available = ?4, held = ?5, sold = ?6, waiting = ?7, pending = ?8
WHERE drop_id = ?1 AND position = ?2`

const sqlRunBatchEnd = `
UPDATE reservations
SET status = ?3, ended_at = ?4
WHERE drop_id = ?1 AND id = ?2 AND status = 1`

// After sqlRunBatchReserve: a payment can claim a reservation that was made in the same batch.
const sqlRunBatchUpdate = `
UPDATE reservations
SET expires_at = ?3, payment = nullif(?4, 0), claim = nullif(?5, 0)
WHERE drop_id = ?1 AND id = ?2`

const sqlRunBatchReturn = `
UPDATE purchases
SET returned = ?3, returned_at = ?4
WHERE drop_id = ?1 AND id = ?2 AND returned IS NULL`

const sqlRunBatchReserve = `
INSERT INTO reservations (drop_id, id, user_id, size, status, created_at, expires_at, ended_at, offer, pass)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, nullif(?8, 0), nullif(?9, 0), nullif(?10, 0))`

const sqlRunBatchPurchase = `
INSERT INTO purchases (drop_id, id, reservation_id, user_id, size, price, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`

const sqlRunBatchLedger = `
INSERT INTO ledger (drop_id, seq, batch, at, size, reason, units, available, version, numbers)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)`

const sqlRunBatchKept = `
SELECT body_hash, answer, created_at
FROM idempotency_keys
WHERE drop_id = ?1 AND caller = ?2 AND operation = ?3 AND key = ?4`

const sqlRunBatchKeep = `
INSERT INTO idempotency_keys (drop_id, caller, operation, key, body_hash, answer, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`

const sqlForget = `
DELETE FROM idempotency_keys
WHERE rowid IN (
    SELECT rowid
    FROM idempotency_keys
    WHERE created_at < ?1
    ORDER BY created_at
    LIMIT ?2 + 0)`

// The first entries in a line, after the one where lines were closed.
var sqlRunBatchLine = "SELECT " + records.Entries.List() + `
FROM waitlist INDEXED BY waitlist_line
WHERE drop_id = ?1 AND line = ?2 AND status = 1 AND id > ?3
ORDER BY id
LIMIT ?4 + 0`

var sqlRunBatchEntry = "SELECT " + records.Entries.List() + `
FROM waitlist
WHERE drop_id = ?1 AND id = ?2`

var sqlRunBatchWaiting = "SELECT " + records.Entries.List() + `
FROM waitlist INDEXED BY waitlist_user
WHERE drop_id = ?1 AND user_id = ?2 AND status = 1`

const sqlRunBatchLeave = `
UPDATE waitlist
SET status = ?3, ended_at = ?4, offer = nullif(?5, 0), why = nullif(?6, '')
WHERE drop_id = ?1 AND id = ?2 AND status = 1`

var sqlRunBatchDrawEntry = "SELECT " + records.DrawEntries.List() + `
FROM draw_entries
WHERE drop_id = ?1 AND id = ?2`

var sqlRunBatchEntrant = "SELECT " + records.DrawEntries.List() + `
FROM draw_entries INDEXED BY draw_entries_user
WHERE drop_id = ?1 AND user_id = ?2`

const sqlRunBatchRedraw = `
UPDATE draw_entries
SET withdrawn_at = nullif(?3, 0), removed = nullif(?4, ''), pass = nullif(?5, 0)
WHERE drop_id = ?1 AND id = ?2`

var sqlRunBatchPass = "SELECT " + records.Passes.List() + `
FROM passes INDEXED BY passes_hash
WHERE drop_id = ?1 AND hash = ?2`

const sqlRunBatchUse = `
UPDATE passes
SET used = max(used + ?3, 0)
WHERE drop_id = ?1 AND id = ?2`

// The statements about payments, which list all their columns.
var (
	sqlRunBatchPayment = "SELECT " + records.Payments.List() + " FROM payments WHERE id = ?1"
	sqlRunBatchPay     = dialect.Set(records.Payments)
)

// SQLite counts the numbers of a table with AUTOINCREMENT here.
const sqlNumbers = `
UPDATE sqlite_sequence
SET seq = seq + ?2
WHERE name = ?1
RETURNING seq - ?2 + 1`

const sqlCommitted = `
SELECT EXISTS (SELECT 1 FROM drops WHERE id = ?1 AND batch = ?2)
    OR EXISTS (SELECT 1 FROM ledger WHERE drop_id = ?1 AND seq > ?3 AND batch = ?2)`

const sqlCommittedConfirm = `
UPDATE confirmations
SET count = count + 1
WHERE id = 1`

const sqlCreateDropNext = `
SELECT coalesce(max(id), 0) + 1
FROM drops`

const sqlDrops = `
SELECT id
FROM drops
ORDER BY id`

const sqlPulse = `
SELECT d.id, d.version,
       coalesce((SELECT r.expires_at
                 FROM reservations r
                 WHERE r.drop_id = d.id AND r.status = 1
                 ORDER BY r.expires_at
                 LIMIT 1), 0)
FROM drops d
ORDER BY d.id`

const sqlEnsureUserByEmail = `
SELECT id, username, coalesce(email, ''), coalesce(public_name, '')
FROM users
WHERE email = ?1 AND subject IS NULL`

const sqlEnsureUserByName = `
SELECT id, username, coalesce(email, ''), coalesce(public_name, '')
FROM users
WHERE username = ?1 AND subject IS NULL
ORDER BY id
LIMIT 1`

const sqlEnsureUserNext = `
SELECT max(coalesce(max(id), 0) + 1, ?1)
FROM users`

const sqlEnsureSubject = `
SELECT id, username, coalesce(email, ''), coalesce(public_name, '')
FROM users
WHERE issuer = ?1 AND subject = ?2`

// An empty subject of an issuer is also a value.
const sqlEnsureSubjectInsert = `
INSERT INTO users (id, username, email, public_name, created_at, issuer, subject)
VALUES (?1, ?2, nullif(?3, ''), nullif(?4, ''), ?5, ?6, ?7)`

const sqlEnsureSubjectUpdate = `
UPDATE users
SET username = ?2, email = nullif(?3, ''), public_name = nullif(?4, '')
WHERE id = ?1`

// CROSS JOIN fixes the join order: each drop takes one look-up in the index on (drop_id, user_id, status).
const sqlReservations = `
SELECT r.id, r.user_id, r.size, r.status, r.created_at, r.expires_at, r.ended_at, r.payment, r.claim, r.offer, r.pass
FROM drops d
CROSS JOIN reservations r ON r.drop_id = d.id AND r.user_id = ?1
ORDER BY r.created_at DESC, r.id DESC
LIMIT ?2 + 0`

const sqlReady = `
SELECT count
FROM confirmations
WHERE id = 1`

// Counts the tables in a file. Another program's file has some, and another application_id.
const sqlOpenTables = `
SELECT count(*)
FROM sqlite_schema`
