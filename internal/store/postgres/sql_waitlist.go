package postgres

import (
	"fmt"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store/records"
)

// firstInLines are the first entries in the line of each of a drop's sizes: one more than drop.OffersPerLine, to learn
// whether these are all. Like due holds, they are searched from a known lower bound (see deadlineBounds).
// Entries up to line_closed wait no longer.
func firstInLines(sizes, since string) string {
	//nolint:unqueryvet // what is outside names the columns
	return fmt.Sprintf(`generate_series(0, %s::integer - 1) AS of (place)
JOIN LATERAL (
    SELECT *
    FROM sneakerdrop.waitlist
    WHERE drop_id = $1 AND line = of.place AND status = 1 AND id > greatest(%s::bigint, (
        SELECT (id << 32) + line_closed
        FROM sneakerdrop.drops
        WHERE id BETWEEN $1 AND $1
        ORDER BY id DESC
        LIMIT 1
    ))
    ORDER BY id
    LIMIT greatest(%d / %[1]s::integer, %[4]d) + 1
) AS e ON true`, sizes, since, drop.MaxOffersPerBatch, drop.MinOffersPerLine)
}

var (
	runBatchLines = fmt.Sprintf(`
SELECT %s
FROM %s
ORDER BY e.id`, records.Entries.List(), firstInLines("$2", "$3"))

	// runBatchUsageLines is runBatchUsage also of those who are first in lines.
	runBatchUsageLines = runBatchUsageOf + linesUsers + runBatchUsageThen + linesUsers + runBatchUsageEnd

	linesUsers = fmt.Sprintf(`(
    SELECT unnest($2::bigint[])
    UNION
    SELECT e.user_id
    FROM %s
) AS wanted (user_id)`, firstInLines("$4", "$5"))

	runBatchEntries = rowsOf(records.Entries, "unnest($2::bigint[]) AS wanted (entry)", "id = wanted.entry", "LIMIT 1")

	// The entries of buyers that wait.
	runBatchWaiting = rowsOf(records.Entries, "unnest($2::bigint[]) AS wanted (buyer)", waitsHere, "OFFSET 0")
)

// waitsHere finds the entries of wanted.buyer that wait. status + 0 keeps the index of lines from serving.
const waitsHere = "user_id = wanted.buyer AND status + 0 = 1"

// rowsOf reads a drop's rows of a table, for each row of wanted by itself. end, LIMIT 1 or OFFSET 0, keeps PostgreSQL
// from reading them another way.
func rowsOf(t *records.Table, wanted, condition, end string) string {
	//nolint:unqueryvet // what is outside names the columns
	return fmt.Sprintf(`
SELECT %s
FROM %s
JOIN LATERAL (
    SELECT *
    FROM sneakerdrop.%s
    WHERE drop_id = $1 AND %s
    %s
) AS e ON true`, t.List(), wanted, t.Name, condition, end)
}

// Entries of waitlists are stored together: a draw makes thousands in a batch.
var runBatchWriteJoined = writeNew(records.Entries)
