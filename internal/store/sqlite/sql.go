package sqlite

// All SQL of the package, but for the schema (migrations) and what steers a connection (BEGIN, PRAGMA). A statement
// bears the name of the method that uses it, or of what several of them share. Rows of a drop are found by keys that
// drop_id leads; a test names the exceptions.

// Columns of drops in the order in which scanDrop reads them.
const sqlDrop = `
SELECT id, name, price, start_time, coalesce(image_url, ''), limit_per_user, paused, hidden, archived,
       version, created_at, last_at, seq, reserved, purchased, batch, max_expired_holds
FROM drops
WHERE id = ?1`

const sqlDropSizes = `
SELECT label, total, available, held, sold
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
SELECT id, user_id, size, status, created_at, expires_at, ended_at
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
SELECT r.id, r.user_id, r.size, r.status, r.created_at, r.expires_at, r.ended_at,
       u.username, p.id, p.price, p.created_at, coalesce(u.public_name, '')
FROM reservations r
LEFT JOIN users u ON u.id = r.user_id
LEFT JOIN purchases p ON p.drop_id = r.drop_id AND p.reservation_id = r.id
WHERE r.drop_id = ?1 AND r.id = ?2 AND ?3 IN (0, r.user_id)`

// Completed ones first, then the newest: what the bound may leave out is old, and if it is still active its time is over.
const sqlRunBatchUsage = `
SELECT id, user_id, size, status, created_at, expires_at, ended_at
FROM reservations
WHERE drop_id = ?1 AND user_id = ?2 AND status <= 2
ORDER BY status DESC, id DESC
LIMIT ?3 + 0`

// Read only where the drop has the rule, or is about to, which itself keeps them few.
const sqlRunBatchUnpaid = `
SELECT count(*), coalesce(max(ended_at), 0)
FROM reservations
WHERE drop_id = ?1 AND user_id = ?2 AND status > 2`

const sqlRunBatchUpdateDrop = `
UPDATE drops
SET name = ?2, price = ?3, start_time = ?4, image_url = nullif(?5, ''), limit_per_user = ?6,
    paused = ?7, hidden = ?8, archived = ?9, version = ?10, last_at = ?11, seq = ?12,
    reserved = ?13, purchased = ?14, batch = ?15, max_expired_holds = ?16
WHERE id = ?1`

const sqlRunBatchUpdateSize = `
UPDATE sizes
SET total = ?3, available = ?4, held = ?5, sold = ?6
WHERE drop_id = ?1 AND position = ?2`

const sqlRunBatchEnd = `
UPDATE reservations
SET status = ?3, ended_at = ?4
WHERE drop_id = ?1 AND id = ?2 AND status = 1`

const sqlRunBatchReserve = `
INSERT INTO reservations (drop_id, id, user_id, size, status, created_at, expires_at, ended_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, nullif(?8, 0))`

const sqlRunBatchPurchase = `
INSERT INTO purchases (drop_id, id, reservation_id, user_id, size, price, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`

const sqlRunBatchLedger = `
INSERT INTO ledger (drop_id, seq, batch, at, size, reason, units, available)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`

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

const sqlCreateDrop = `
INSERT INTO drops (id, name, price, start_time, image_url, limit_per_user, paused, hidden, archived,
                   version, created_at, last_at, seq, reserved, purchased, batch, max_expired_holds)
VALUES (?1, ?2, ?3, ?4, nullif(?5, ''), ?6, ?7, ?8, ?9, ?10, ?17, ?11, ?12, ?13, ?14, ?15, ?16)`

const sqlCreateDropSize = `
INSERT INTO sizes (drop_id, position, total, available, held, sold, label)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)`

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

const sqlInsertUser = `
INSERT INTO users (id, username, email, created_at, public_name)
VALUES (?1, ?2, nullif(?3, ''), ?4, nullif(?5, ''))`

const sqlEnsureSubject = `
SELECT id, username, coalesce(email, ''), coalesce(public_name, '')
FROM users
WHERE issuer = ?1 AND subject = ?2`

const sqlEnsureSubjectInsert = `
INSERT INTO users (id, username, email, public_name, created_at, issuer, subject)
VALUES (?1, ?2, nullif(?3, ''), nullif(?4, ''), ?5, ?6, ?7)`

const sqlEnsureSubjectUpdate = `
UPDATE users
SET username = ?2, email = nullif(?3, ''), public_name = nullif(?4, '')
WHERE id = ?1`

const sqlUser = `
SELECT id, username, coalesce(email, ''), coalesce(public_name, '')
FROM users
WHERE id = ?1`

const sqlCreateToken = `
INSERT INTO tokens (name, role, hash, created_at, expires_at)
VALUES (?1, ?2, ?3, ?4, nullif(?5, 0))
RETURNING id`

// Columns in the order in which scanToken reads them.
const sqlToken = `
SELECT id, name, role, created_at, coalesce(expires_at, 0), coalesce(revoked_at, 0)
FROM tokens
WHERE hash = ?1`

const sqlTokens = `
SELECT id, name, role, created_at, coalesce(expires_at, 0), coalesce(revoked_at, 0)
FROM tokens
ORDER BY id`

const sqlRevokeToken = `
UPDATE tokens
SET revoked_at = coalesce(revoked_at, ?2)
WHERE id = ?1
RETURNING id, name, role, created_at, coalesce(expires_at, 0), revoked_at`

const sqlRecord = `
INSERT INTO actions (at, token_id, name, role, call, drop_id, detail, address, request)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
RETURNING id`

const sqlConclude = `
INSERT INTO outcomes (action_id, outcome)
VALUES (?1, ?2)`

const sqlActions = `
SELECT a.id, a.at, a.token_id, a.name, a.role, a.call, a.drop_id, a.detail, a.address, a.request, coalesce(o.outcome, '')
FROM actions a
LEFT JOIN outcomes o ON o.action_id = a.id
WHERE a.id < ?1
ORDER BY a.id DESC
LIMIT ?2 + 0`

// CROSS JOIN keeps the order: each drop is one look-up in the index on (drop_id, user_id, status).
const sqlReservations = `
SELECT r.id, r.user_id, r.size, r.status, r.created_at, r.expires_at, r.ended_at
FROM drops d
CROSS JOIN reservations r ON r.drop_id = d.id AND r.user_id = ?1
ORDER BY r.created_at DESC, r.id DESC
LIMIT ?2 + 0`

// Tells an empty page from a drop that is not there.
const sqlDropExists = `
SELECT EXISTS (SELECT 1 FROM drops WHERE id = ?1)`

const sqlPurchases = `
SELECT p.id, p.reservation_id, p.user_id, p.size, p.price, p.created_at, u.username, coalesce(u.email, '')
FROM purchases p
LEFT JOIN users u ON u.id = p.user_id
WHERE p.drop_id = ?1 AND p.id > ?2
ORDER BY p.id
LIMIT ?3 + 0`

const sqlNewestPurchases = `
SELECT p.id, p.reservation_id, p.user_id, p.size, p.price, p.created_at, u.username, coalesce(u.email, '')
FROM purchases p
LEFT JOIN users u ON u.id = p.user_id
WHERE p.drop_id = ?1 AND p.id < ?2
ORDER BY p.id DESC
LIMIT ?3 + 0`

const sqlLedger = `
SELECT seq, batch, at, size, reason, units, available
FROM ledger
WHERE drop_id = ?1 AND seq > ?2
ORDER BY seq
LIMIT ?3 + 0`

const sqlReadBooksLedger = `
SELECT seq, batch, at, size, reason, units, available
FROM ledger
WHERE drop_id = ?1
ORDER BY seq`

const sqlReadBooksReservations = `
SELECT id, user_id, size, status, created_at, expires_at, ended_at
FROM reservations
WHERE drop_id = ?1
ORDER BY id`

const sqlReadBooksPurchases = `
SELECT id, reservation_id, user_id, size, price, created_at
FROM purchases
WHERE drop_id = ?1
ORDER BY id`

const sqlFillEmpty = `
SELECT NOT EXISTS (SELECT 1 FROM drops) AND NOT EXISTS (SELECT 1 FROM users)`

const (
	sqlFillDeleteUsers        = `DELETE FROM users`
	sqlFillDeleteDrops        = `DELETE FROM drops`
	sqlFillDeleteSizes        = `DELETE FROM sizes`
	sqlFillDeleteReservations = `DELETE FROM reservations`
	sqlFillDeletePurchases    = `DELETE FROM purchases`
	sqlFillDeleteLedger       = `DELETE FROM ledger`
	sqlFillDeleteKeys         = `DELETE FROM idempotency_keys`
)

// What belongs to no drop, and what is read of a drop beside its books. Columns in the order in which they are scanned.
const sqlExportUsers = `
SELECT id, username, coalesce(email, ''), coalesce(public_name, ''), coalesce(issuer, ''), coalesce(subject, ''), created_at
FROM users
ORDER BY id`

const sqlExportTokens = `
SELECT id, name, role, created_at, coalesce(expires_at, 0), coalesce(revoked_at, 0), hash
FROM tokens
ORDER BY id`

const sqlExportActions = `
SELECT a.id, a.at, a.token_id, a.name, a.role, a.call, a.drop_id, a.detail, a.address, a.request, coalesce(o.outcome, '')
FROM actions a
LEFT JOIN outcomes o ON o.action_id = a.id
ORDER BY a.id`

const sqlExportKept = `
SELECT caller, operation, key, body_hash, answer, created_at
FROM idempotency_keys
WHERE drop_id = ?1`

const sqlExportCounts = `
SELECT 'sizes', count(*) FROM sizes
UNION ALL SELECT 'ledger', count(*) FROM ledger
UNION ALL SELECT 'reservations', count(*) FROM reservations
UNION ALL SELECT 'purchases', count(*) FROM purchases
UNION ALL SELECT 'idempotency_keys', count(*) FROM idempotency_keys`

// outcomes belong to actions.
const sqlImportEmpty = `
SELECT NOT EXISTS (SELECT 1 FROM users)
   AND NOT EXISTS (SELECT 1 FROM tokens)
   AND NOT EXISTS (SELECT 1 FROM actions)
   AND NOT EXISTS (SELECT 1 FROM drops)
   AND NOT EXISTS (SELECT 1 FROM sizes)
   AND NOT EXISTS (SELECT 1 FROM reservations)
   AND NOT EXISTS (SELECT 1 FROM purchases)
   AND NOT EXISTS (SELECT 1 FROM ledger)
   AND NOT EXISTS (SELECT 1 FROM idempotency_keys)`

const sqlImportUser = `
INSERT INTO users (id, username, email, issuer, subject, created_at, public_name)
VALUES (?1, ?2, nullif(?3, ''), nullif(?4, ''), nullif(?5, ''), ?6, nullif(?7, ''))`

const sqlImportToken = `
INSERT INTO tokens (id, name, role, hash, created_at, expires_at, revoked_at)
VALUES (?1, ?2, ?3, ?4, ?5, nullif(?6, 0), nullif(?7, 0))`

const sqlImportAction = `
INSERT INTO actions (id, at, token_id, name, role, call, drop_id, detail, address, request)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)`

const sqlReady = `
SELECT count
FROM confirmations
WHERE id = 1`

// How many tables a file has; a foreign one has some and bears another application_id.
const sqlOpenTables = `
SELECT count(*)
FROM sqlite_schema`
