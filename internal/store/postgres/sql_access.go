package postgres

import (
	"fmt"

	"sneakerdrop/internal/store/records"
)

var (
	// drop_id + 0 is what passes_hash begins with, and no other index.
	//
	//nolint:unqueryvet // what is outside names the columns
	runBatchPasses = fmt.Sprintf(`
SELECT %s
FROM unnest($2::bytea[]) AS wanted (shown)
JOIN LATERAL (
    SELECT *
    FROM sneakerdrop.passes
    WHERE drop_id + 0 = $1 AND hash = wanted.shown
    LIMIT 1
) AS e ON true`, records.Passes.List())

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
