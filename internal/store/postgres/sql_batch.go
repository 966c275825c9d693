package postgres

import "sneakerdrop/internal/drop"

// The files sql_*.go contain every statement of the engine except those from package records. Each is named after the
// method that uses it. Statements that read drops return the columns of records.Drops. All names are qualified, so
// that no search_path is needed, which a pooler would not keep. Sets are passed as arrays and joined LATERAL with a
// key that starts with the drop, never with = ANY, whose plan changes as a table grows.
//
// A statement that changes rows counts them and divides by zero if one is missing. The error skips the rest of the
// pipeline, including COMMIT.
//
// Every batch changes a drop's row and its sizes' rows. While any session holds an old snapshot, none of their old
// versions can be removed. So batches read them newest first: a range with one key, backwards, LIMIT 1. That begins
// at the newest version and ends there. (With "=" the planner drops the order, and the scan visits all versions.)
// They are written by the location (ctid) that was read, which the drop's lock keeps valid. For the same reason due
// holds are searched from a known lower bound (see deadlineBounds).

// runBatchDue reads one hold more than a batch expires, to learn when the next one ends.
var _ = [1]struct{}{}[drop.MaxExpirePerBatch+1-501]

// Statements about one drop and its lane, or about the drops of a group.
const (
	runBatchBegin = `BEGIN ISOLATION LEVEL READ COMMITTED`

	// The locks, the clock and what every batch reads belong to one drop or, in a group, to several (see groups). The
	// other statements are about one drop.
	runBatchLock = runBatchDrops + `
) AS d ON true`

	// In a group: never wait for one lock while holding others.
	runBatchLockFree = runBatchDrops + ` SKIP LOCKED
) AS d ON true`

	// The columns of records.Drops in their order.
	dropColumns = `d.id, d.name, d.price, d.start_time, coalesce(d.image_url, ''), d.limit_per_user, d.max_expired_holds, d.paused,
       d.hidden, d.archived, d.version, d.created_at, d.last_at, d.seq, d.reserved, d.purchased, d.batch,
       d.waitlist, d.offer_for, d.max_waiting, d.offers_count, d.waited, d.line_closed,
       coalesce(d.draw, ''), d.draw_phase, d.entered, d.lined, coalesce(d.access, '')`

	//nolint:unqueryvet // what is outside names the columns
	runBatchDrops = `
SELECT ` + dropColumns + `, d.place::text
FROM unnest($1::bigint[]) AS wanted (id)
JOIN LATERAL (
    SELECT *, ctid AS place
    FROM sneakerdrop.drops
    WHERE id BETWEEN wanted.id AND wanted.id
    ORDER BY id DESC
    LIMIT 1
    FOR UPDATE`

	// A session whose client falls silent in the middle of a pipeline is not idle. Before PostgreSQL 17, no timeout
	// ends it.
	runBatchEndSilent = `
SELECT pid, pg_terminate_backend(pid)
FROM pg_stat_activity
WHERE datname = current_database() AND usename = session_user AND application_name = current_setting('application_name')
    AND state = 'active' AND wait_event_type = 'Client' AND wait_event = 'ClientRead'
    AND state_change < clock_timestamp() - interval '5 s' AND pid <> pg_backend_pid()`

	// The time is kept in a setting of the transaction, so that later statements compare with exactly the same value.
	// If the drop's last batch was later, that batch's time counts.
	runBatchClock = `
WITH clock AS MATERIALIZED (
    SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now
)
SELECT now, set_config('sneakerdrop.now', now::text, true)
FROM clock`

	runBatchSizes = `
SELECT s.label, s.total, s.available, s.held, s.sold, s.waiting, s.pending, s.ctid::text, of.drop_id
FROM unnest($1::bigint[]) AS of (drop_id)
CROSS JOIN LATERAL generate_series(0, (
    SELECT position
    FROM sneakerdrop.sizes
    WHERE drop_id = of.drop_id
    ORDER BY position DESC
    LIMIT 1
)) AS wanted (position)
JOIN LATERAL (
    SELECT label, total, available, held, sold, waiting, pending, ctid
    FROM sneakerdrop.sizes
    WHERE drop_id = of.drop_id AND position BETWEEN wanted.position AND wanted.position
    ORDER BY position DESC
    LIMIT 1
) AS s ON true
ORDER BY of.drop_id, wanted.position`

	runBatchDue = `
SELECT r.id, r.user_id, r.size, r.created_at, r.expires_at, coalesce(r.payment, 0), coalesce(r.claim, 0),
       r.offer IS NOT NULL, coalesce(r.pass, 0)
FROM unnest($1::bigint[], $2::bigint[]) AS of (drop_id, since)
JOIN LATERAL (
    SELECT id, user_id, size, created_at, expires_at, payment, claim, offer, pass
    FROM sneakerdrop.reservations
    WHERE drop_id = of.drop_id AND status = 1 AND expires_at >= of.since
        AND expires_at <= greatest(current_setting('sneakerdrop.now')::bigint, (
            SELECT last_at
            FROM sneakerdrop.drops
            WHERE id BETWEEN of.drop_id AND of.drop_id
            ORDER BY id DESC
            LIMIT 1
        ))
    ORDER BY expires_at, id
    LIMIT 501
) AS r ON true`

	runBatchDeadline = `
SELECT expires_at
FROM sneakerdrop.reservations
WHERE drop_id = $1 AND status = 1 AND expires_at > greatest(current_setting('sneakerdrop.now')::bigint, (
    SELECT last_at
    FROM sneakerdrop.drops
    WHERE id BETWEEN $1 AND $1
    ORDER BY id DESC
    LIMIT 1
))
ORDER BY expires_at
LIMIT 1`

	runBatchReservations = `
SELECT r.id, r.user_id, r.size, r.status, r.created_at, r.expires_at, coalesce(r.ended_at, 0), coalesce(u.username, ''),
       coalesce(u.public_name, ''), coalesce(r.payment, 0), coalesce(r.claim, 0), r.offer IS NOT NULL, coalesce(r.pass, 0),
       coalesce(p.id, 0), coalesce(p.user_id, 0), coalesce(p.size, ''), coalesce(p.price, 0), coalesce(p.created_at, 0),
       coalesce(p.returned, 0), coalesce(p.returned_at, 0)
FROM unnest($2::bigint[], $3::bigint[]) AS wanted (id, owner)
JOIN LATERAL (
    SELECT id, user_id, size, status, created_at, expires_at, ended_at, payment, claim, offer, pass
    FROM sneakerdrop.reservations
    WHERE drop_id = $1 AND id = wanted.id AND wanted.owner IN (0, user_id)
    LIMIT 1
) AS r ON true
LEFT JOIN LATERAL (
    SELECT username, public_name
    FROM sneakerdrop.users
    WHERE id = r.user_id
    LIMIT 1
) AS u ON true
LEFT JOIN LATERAL (
    SELECT id, user_id, size, price, created_at, returned, returned_at
    FROM sneakerdrop.purchases
    WHERE drop_id = $1 AND reservation_id = r.id
    LIMIT 1
) AS p ON r.status = 2`

	runBatchSold = `
SELECT p.id, p.reservation_id, p.user_id, p.size, p.price, p.created_at, coalesce(p.returned, 0), coalesce(p.returned_at, 0)
FROM unnest($2::bigint[]) AS wanted (id)
JOIN LATERAL (
    SELECT id, reservation_id, user_id, size, price, created_at, returned, returned_at
    FROM sneakerdrop.purchases
    WHERE drop_id = $1 AND id = wanted.id
    LIMIT 1
) AS p ON true`

	// The rows with id 0 come first: how many of each user's reservations ended unpaid. Then come each user's active
	// and completed ones. It is one statement, so that the users are sent once. 1001 is one more than the highest
	// limit. If there are more rows, the oldest holds are left out, which are past their end. The last condition of
	// each part does not depend on a row: without the rule, nothing is read.
	runBatchUsage = runBatchUsageOf + `unnest($2::bigint[]) AS wanted (user_id)` + runBatchUsageThen + `unnest($2::bigint[]) AS wanted (user_id)` +
		runBatchUsageEnd

	runBatchUsageOf = `
SELECT 0 AS id, wanted.user_id, '' AS size, 0::smallint AS status, 0 AS created_at, 0 AS expires_at, past.last AS ended_at,
       past.unpaid, 0 AS payment, 0 AS claim, false AS offer, 0 AS pass
FROM `

	runBatchUsageThen = `
JOIN LATERAL (
    SELECT count(*) AS unpaid, max(ended_at) AS last
    FROM sneakerdrop.reservations
    WHERE drop_id = $1 AND user_id = wanted.user_id AND status > 2 AND (offer IS NULL OR (
        SELECT offers_count FROM sneakerdrop.drops WHERE id BETWEEN $1 AND $1 ORDER BY id DESC LIMIT 1
    ))
) AS past ON past.unpaid > 0
WHERE $3::boolean OR (
    SELECT max_expired_holds > 0 FROM sneakerdrop.drops WHERE id BETWEEN $1 AND $1 ORDER BY id DESC LIMIT 1
)
UNION ALL
SELECT r.id, r.user_id, r.size, r.status, r.created_at, r.expires_at, coalesce(r.ended_at, 0), 0, coalesce(r.payment, 0),
       coalesce(r.claim, 0), r.offer IS NOT NULL, coalesce(r.pass, 0)
FROM `

	runBatchUsageEnd = `
JOIN LATERAL (
    SELECT id, user_id, size, status, created_at, expires_at, ended_at, payment, claim, offer, pass
    FROM sneakerdrop.reservations
    WHERE drop_id = $1 AND user_id = wanted.user_id AND status + 0 <= 2
    ORDER BY status DESC, id DESC
    LIMIT 1001
) AS r ON true
WHERE $3::boolean OR (
    SELECT limit_per_user + max_expired_holds > 0 OR access IS NOT NULL FROM sneakerdrop.drops WHERE id BETWEEN $1 AND $1 ORDER BY id DESC LIMIT 1
)
ORDER BY id`

	runBatchRecent = `
SELECT p.id, coalesce(u.username, ''), coalesce(u.public_name, ''), p.created_at
FROM (
    SELECT id, user_id, created_at
    FROM sneakerdrop.purchases
    WHERE drop_id = $1
    ORDER BY id DESC
    LIMIT 3
) AS p
LEFT JOIN LATERAL (
    SELECT username, public_name
    FROM sneakerdrop.users
    WHERE id = p.user_id
    LIMIT 1
) AS u ON true
ORDER BY p.id DESC`

	runBatchKept = `
SELECT k.caller, k.operation, k.key, k.body_hash, k.answer, k.created_at
FROM unnest($2::text[], $3::text[], $4::text[]) AS wanted (caller, operation, key)
JOIN LATERAL (
    SELECT caller, operation, key, body_hash, answer, created_at
    FROM sneakerdrop.idempotency_keys
    WHERE drop_id = $1 AND caller = wanted.caller AND operation = wanted.operation AND key = wanted.key
    LIMIT 1
) AS k ON true`

	// Batches write to one drop or, in a group, to several (see groups). So each row contains its own drop.
	runBatchWriteDrops = `
WITH written AS (
    UPDATE sneakerdrop.drops AS d
    SET version = n.version, last_at = n.last_at, seq = n.seq, reserved = n.reserved, purchased = n.purchased, batch = n.batch
    FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::uuid[])
        AS n (id, place, version, last_at, seq, reserved, purchased, batch)
    WHERE d.id + 0 = n.id AND d.ctid = n.place::tid
    RETURNING 1
)
SELECT 1 / (count(*) = cardinality($1::bigint[]))::integer FROM written`

	// The parameters are numbered like the columns in records.Drops, followed by the row's location.
	runBatchWriteEdit = `
WITH written AS (
    UPDATE sneakerdrop.drops
    SET name = $2, price = $3, start_time = $4, image_url = $5, limit_per_user = $6, max_expired_holds = $7, paused = $8, hidden = $9,
        archived = $10, version = $11, created_at = $12, last_at = $13, seq = $14, reserved = $15, purchased = $16, batch = $17,
        waitlist = $18, offer_for = $19, max_waiting = $20, offers_count = $21, waited = $22, line_closed = $23,
        draw = $24, draw_phase = $25, entered = $26, lined = $27, access = $28
    WHERE id = $1 AND ctid = $29::text::tid
    RETURNING 1
)
SELECT 1 / (count(*) = 1)::integer FROM written`

	// drop_id + 0 keeps indexes from being used to find the rows.
	runBatchWriteSizes = `
WITH written AS (
    UPDATE sneakerdrop.sizes AS s
    SET total = n.total, available = n.available, held = n.held, sold = n.sold, waiting = n.waiting, pending = n.pending
    FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[])
        AS n (drop_id, place, total, available, held, sold, waiting, pending)
    WHERE s.drop_id + 0 = n.drop_id AND s.ctid = n.place::tid
    RETURNING 1
)
SELECT 1 / (count(*) = cardinality($1::bigint[]))::integer FROM written`

	// The inner query finds the row by key, the outer one by location. Joined by key, the planner might read the
	// whole drop and search the array for each row. The drop's lock keeps rows in their locations. status + 0 keeps
	// the planner from scanning an index of active holds instead of fetching one row by its location.
	runBatchWriteEnded = `
WITH written AS (
    UPDATE sneakerdrop.reservations AS r
    SET status = n.status, ended_at = n.ended_at
    FROM unnest($1::bigint[], $2::smallint[], $3::bigint[]) AS n (id, status, ended_at)
    JOIN LATERAL (
        SELECT ctid
        FROM sneakerdrop.reservations
        WHERE drop_id = n.id >> 32 AND id = n.id
        LIMIT 1
    ) AS place ON true
    WHERE r.ctid = place.ctid AND r.status + 0 = 1
    RETURNING 1
)
SELECT 1 / (count(*) = cardinality($1::bigint[]))::integer FROM written`

	// After runBatchWriteMade: a payment can claim a reservation that was made in the same batch.
	runBatchWriteUpdated = `
WITH written AS (
    UPDATE sneakerdrop.reservations AS r
    SET expires_at = n.expires_at, payment = nullif(n.payment, 0), claim = nullif(n.claim, 0)
    FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS n (id, expires_at, payment, claim)
    JOIN LATERAL (
        SELECT ctid
        FROM sneakerdrop.reservations
        WHERE drop_id = n.id >> 32 AND id = n.id
        LIMIT 1
    ) AS place ON true
    WHERE r.ctid = place.ctid
    RETURNING 1
)
SELECT 1 / (count(*) = cardinality($1::bigint[]))::integer FROM written`

	runBatchWriteLeft = `
WITH written AS (
    UPDATE sneakerdrop.waitlist AS w
    SET status = n.status, ended_at = n.ended_at, offer = nullif(n.offer, 0), why = nullif(n.why, '')
    FROM unnest($1::bigint[], $2::smallint[], $3::bigint[], $4::bigint[], $5::text[]) AS n (id, status, ended_at, offer, why)
    JOIN LATERAL (
        SELECT ctid
        FROM sneakerdrop.waitlist
        WHERE drop_id = n.id >> 32 AND id = n.id
        LIMIT 1
    ) AS place ON true
    WHERE w.ctid = place.ctid AND w.status + 0 = 1
    RETURNING 1
)
SELECT 1 / (count(*) = cardinality($1::bigint[]))::integer FROM written`

	runBatchWriteReturned = `
WITH written AS (
    UPDATE sneakerdrop.purchases AS p
    SET returned = n.returned, returned_at = n.returned_at
    FROM unnest($1::bigint[], $2::smallint[], $3::bigint[]) AS n (id, returned, returned_at)
    JOIN LATERAL (
        SELECT ctid
        FROM sneakerdrop.purchases
        WHERE drop_id = n.id >> 32 AND id = n.id
        LIMIT 1
    ) AS place ON true
    WHERE p.ctid = place.ctid AND p.returned IS NULL
    RETURNING 1
)
SELECT 1 / (count(*) = cardinality($1::bigint[]))::integer FROM written`

	runBatchWriteMade = `
INSERT INTO sneakerdrop.reservations (drop_id, id, user_id, size, status, created_at, expires_at, ended_at, offer, pass)
SELECT id >> 32, id, user_id, size, status, created_at, expires_at, nullif(ended_at, 0), nullif(offer, 0::smallint), nullif(pass, 0)
FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::smallint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::smallint[], $9::bigint[])
    AS n (id, user_id, size, status, created_at, expires_at, ended_at, offer, pass)`

	runBatchWritePurchases = `
INSERT INTO sneakerdrop.purchases (drop_id, id, reservation_id, user_id, size, price, created_at)
SELECT id >> 32, id, reservation_id, user_id, size, price, created_at
FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[])
    AS n (id, reservation_id, user_id, size, price, created_at)`

	runBatchWriteLedger = `
INSERT INTO sneakerdrop.ledger (drop_id, seq, batch, at, size, reason, units, available, version, numbers)
SELECT drop_id, seq, batch, at, size, reason, units, available, version, nullif(numbers, '')
FROM unnest($1::bigint[], $2::bigint[], $3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bytea[])
    AS n (drop_id, seq, batch, at, size, reason, units, available, version, numbers)`

	runBatchWriteKept = `
INSERT INTO sneakerdrop.idempotency_keys (drop_id, caller, operation, key, body_hash, answer, created_at)
SELECT drop_id, caller, operation, key, body_hash, answer, created_at
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::bytea[], $6::bytea[], $7::bigint[])
    AS n (drop_id, caller, operation, key, body_hash, answer, created_at)`

	runBatchCommit = `COMMIT`

	// A drop under creation has no row to wait for yet. Its creation holds this lock (see createDropID).
	committedCreation = `SELECT pg_advisory_xact_lock(723629061, $1::bigint::integer)`

	committedLock = `
SELECT batch = $2::uuid
FROM sneakerdrop.drops
WHERE id = $1
FOR UPDATE`

	committedLedger = `
SELECT EXISTS (
    SELECT FROM sneakerdrop.ledger
    WHERE drop_id = $1 AND seq > $2 AND batch = $3::uuid
)`

	// This write makes a synchronous standby confirm everything before it.
	committedTouch = `
UPDATE sneakerdrop.drops
SET batch = batch
WHERE id = $1`

	// This comes before every other lock, as in batches. Fill takes this lock first and the sequence's last.
	createDropLock = `LOCK TABLE sneakerdrop.drops IN ROW EXCLUSIVE MODE`

	createDropID = `
WITH next AS MATERIALIZED (
    SELECT nextval('sneakerdrop.drop_ids') AS id
)
SELECT id, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint, pg_advisory_xact_lock(723629061, id::integer)::text
FROM next`
)
