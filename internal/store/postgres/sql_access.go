package postgres

import "sneakerdrop/internal/store/records"

var (
	runBatchPasses = rowsOf(records.Passes, "unnest($2::bytea[]) AS wanted (shown)", "hash = wanted.shown", "LIMIT 1")

	runBatchWritePasses = writeNew(records.Passes)
)

// After runBatchWritePasses: a pass can be used in the batch that made it. It does not count its rows: an audit finds a
// pass that is gone.
const runBatchWriteUses = `
UPDATE sneakerdrop.passes AS w
SET used = greatest(w.used + n.more, 0)
FROM unnest($1::bigint[], $2::bigint[]) AS n (id, more)
JOIN LATERAL (
    SELECT ctid
    FROM sneakerdrop.passes
    WHERE drop_id = n.id >> 32 AND id = n.id
    LIMIT 1
) AS place ON true
WHERE w.ctid = place.ctid`
