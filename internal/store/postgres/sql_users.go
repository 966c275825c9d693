package postgres

// Statements about buyers, and about the keys of calls without a drop, whose $1 is 0.
const (
	// Before the key, as in Fill.
	ensureUserLock = `LOCK TABLE sneakerdrop.users IN ROW EXCLUSIVE MODE`

	// Waits for the end of a transaction that has claimed the key, and returns no row if that transaction committed.
	claimKey = `
INSERT INTO sneakerdrop.idempotency_keys (drop_id, caller, operation, key, body_hash, answer, created_at)
VALUES ($1, $2, $3, $4, $5, '', floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)
ON CONFLICT DO NOTHING
RETURNING true`

	// Writes without changing a row: the COMMIT after it waits until a synchronous standby has everything before it.
	claimConfirm = `SELECT pg_logical_emit_message(true, 'sneakerdrop', '')`

	claimAnswer = `
WITH written AS (
    UPDATE sneakerdrop.idempotency_keys
    SET answer = $5
    WHERE drop_id = $1 AND caller = $2 AND operation = $3 AND key = $4
    RETURNING 1
)
SELECT 1 / (count(*) = 1)::integer FROM written`

	// Rows that somebody holds are left for the next time. The inner query finds rows by age, the outer one by
	// location; the lock keeps rows in their locations.
	forgetKeys = `
WITH old AS MATERIALIZED (
    SELECT ctid
    FROM sneakerdrop.idempotency_keys
    WHERE created_at < $1
    ORDER BY created_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED
)
DELETE FROM sneakerdrop.idempotency_keys AS k
USING old
WHERE k.ctid = old.ctid`

	ensureUserByEmail = `
SELECT id, username, coalesce(email, ''), coalesce(public_name, '')
FROM sneakerdrop.users
WHERE email = $1 AND subject IS NULL`

	// OFFSET 0 keeps the planner from walking all users in order of number until one has the name.
	ensureUserByName = `
SELECT id, username, coalesce(email, ''), coalesce(public_name, '')
FROM (
    SELECT id, username, email, public_name
    FROM sneakerdrop.users
    WHERE username = $1 AND subject IS NULL
    OFFSET 0
) AS namesake
ORDER BY id
LIMIT 1`

	ensureUserInsert = `
INSERT INTO sneakerdrop.users (id, username, email, created_at)
VALUES (nextval('sneakerdrop.user_ids'), $1, nullif($2::text, ''),
    floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)
ON CONFLICT DO NOTHING
RETURNING id`

	ensureSubjects = `
SELECT n.place, u.id, u.username, u.email, u.public_name
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS n (issuer, subject, place)
JOIN LATERAL (
    SELECT id, username, coalesce(email, '') AS email, coalesce(public_name, '') AS public_name
    FROM sneakerdrop.users
    WHERE issuer = n.issuer AND subject = n.subject
    LIMIT 1
) AS u ON true`

	// In order of issuer and subject, so that two replicas that make the same users do not deadlock.
	ensureSubjectsInsert = `
INSERT INTO sneakerdrop.users (id, username, email, public_name, issuer, subject, created_at)
SELECT nextval('sneakerdrop.user_ids'), username, nullif(email, ''), nullif(public_name, ''), issuer, subject,
    floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint
FROM (
    SELECT username, email, public_name, issuer, subject
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS n (issuer, subject, username, email, public_name)
    ORDER BY issuer, subject
) AS n
ON CONFLICT (issuer, subject) WHERE subject IS NOT NULL DO NOTHING`

	ensureSubjectsUpdate = `
UPDATE sneakerdrop.users AS u
SET username = n.username, email = nullif(n.email, ''), public_name = nullif(n.public_name, '')
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) AS n (id, username, email, public_name)
WHERE u.id = n.id`
)
