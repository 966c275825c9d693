package postgres

import (
	"fmt"

	"sneakerdrop/internal/store/records"
)

var (
	runBatchEntrants = rowsOf(records.DrawEntries, "unnest($2::bigint[]) AS wanted (buyer)", "user_id = wanted.buyer", "OFFSET 0")

	runBatchDrawEntries = rowsOf(records.DrawEntries, "unnest($2::bigint[]) AS wanted (entry)", "id = wanted.entry", "LIMIT 1")

	// The other entries of those who are first in lines: a turn that comes from a draw ends them.
	runBatchLinesOthers = rowsOf(records.Entries, fmt.Sprintf(`(
    SELECT DISTINCT e.user_id
    FROM %s
) AS wanted (buyer)`, firstInLines("$2", "$3")), waitsHere, "OFFSET 0")

	runBatchWriteEntered = writeNew(records.DrawEntries)
)

const runBatchWriteRedrawn = `
WITH written AS (
    UPDATE sneakerdrop.draw_entries AS w
    SET withdrawn_at = nullif(n.withdrawn_at, 0), removed = nullif(n.removed, ''), pass = nullif(n.pass, 0)
    FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[]) AS n (id, withdrawn_at, removed, pass)
    JOIN LATERAL (
        SELECT ctid
        FROM sneakerdrop.draw_entries
        WHERE drop_id = n.id >> 32 AND id = n.id
        LIMIT 1
    ) AS place ON true
    WHERE w.ctid = place.ctid
    RETURNING 1
)
SELECT 1 / (count(*) = cardinality($1::bigint[]))::integer FROM written`

// writeNew stores new rows of a table whose ids begin with the drop's number. Its parameters are the columns.
func writeNew(t *records.Table) string {
	return fmt.Sprintf(`
INSERT INTO sneakerdrop.%s (drop_id, %s)
SELECT n.id >> 32, %s
FROM unnest(%s) AS n (%[2]s)`, t.Name, names(t.Columns), stored(t.Columns), unnested(t.Columns))
}
