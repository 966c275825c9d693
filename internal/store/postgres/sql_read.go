package postgres

// Statements that show drops and what buyers have of them.
const (
	readBegin = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`

	readClock = `SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint`

	// Goes before dropDrop and dropsDrop: the time up to which no hold ends.
	snapshotDrop = `
SELECT ` + dropColumns + `, coalesce((
           SELECT expires_at
           FROM sneakerdrop.reservations
           WHERE drop_id = d.id AND status = 1 AND expires_at >= `

	snapshotDropEnd = `
           ORDER BY expires_at
           LIMIT 1
       ), 0)
FROM sneakerdrop.drops AS d`

	snapshotSizes = `
SELECT s.drop_id, s.label, s.total, s.available, s.held, s.sold, s.waiting, s.pending
FROM sneakerdrop.sizes AS s`

	snapshotRecent = `
SELECT d.id, p.id, coalesce(u.username, ''), coalesce(u.public_name, ''), p.created_at
FROM sneakerdrop.drops AS d
JOIN LATERAL (
    SELECT id, user_id, created_at
    FROM sneakerdrop.purchases
    WHERE drop_id = d.id
    ORDER BY id DESC
    LIMIT 3
) AS p ON true
LEFT JOIN LATERAL (
    SELECT username, public_name
    FROM sneakerdrop.users
    WHERE id = p.user_id
    LIMIT 1
) AS u ON true`

	dropDrop   = snapshotDrop + `$2` + snapshotDropEnd + ` WHERE d.id = $1`
	dropSizes  = snapshotSizes + ` WHERE s.drop_id = $1 ORDER BY s.position`
	dropRecent = snapshotRecent + ` WHERE d.id = $1 ORDER BY p.id DESC`

	dropsDrop   = snapshotDrop + `0` + snapshotDropEnd + ` ORDER BY d.id`
	dropsSizes  = snapshotSizes + ` ORDER BY s.drop_id, s.position`
	dropsRecent = snapshotRecent + ` ORDER BY d.id, p.id DESC`

	pulseDrops = `
SELECT d.id, d.version, coalesce((
    SELECT expires_at
    FROM sneakerdrop.reservations
    WHERE drop_id = d.id AND status = 1 AND expires_at >= coalesce(($1::jsonb ->> d.id::text)::bigint, 0)
    ORDER BY expires_at
    LIMIT 1
), 0)
FROM sneakerdrop.drops AS d
ORDER BY d.id`

	// OFFSET 0 keeps one probe of each of the user's indexes per drop, whatever order the outer query asks for.
	reservationsReservations = `
WITH clock AS MATERIALIZED (
    SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now
)
SELECT r.id, r.user_id, r.size, r.status, r.created_at, r.expires_at, coalesce(r.ended_at, 0),
       coalesce(r.payment, 0), coalesce(r.claim, 0), r.offer IS NOT NULL, coalesce(r.pass, 0), greatest(clock.now, d.last_at)
FROM clock
CROSS JOIN sneakerdrop.drops AS d
JOIN LATERAL (
    SELECT id, user_id, size, status, created_at, expires_at, ended_at, payment, claim, offer, pass
    FROM sneakerdrop.reservations
    WHERE drop_id = d.id AND user_id = $1 AND status + 0 <= 2
    UNION ALL
    SELECT id, user_id, size, status, created_at, expires_at, ended_at, payment, claim, offer, pass
    FROM sneakerdrop.reservations
    WHERE drop_id = d.id AND user_id = $1 AND status > 2
    OFFSET 0
) AS r ON true
ORDER BY r.created_at DESC, r.id DESC
LIMIT $2`
)
