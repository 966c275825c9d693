package postgres

import (
	"fmt"
	"strings"

	"sneakerdrop/internal/store/records"
)

// The statements about payments list all columns of records.Payments.
var (
	// FOR UPDATE: who changes a payment outside a batch waits for the batch, and then finds it changed.
	//nolint:unqueryvet // what is outside names the columns
	runBatchPayments = fmt.Sprintf(`
SELECT %s
FROM unnest($1::bigint[]) AS wanted (payment)
JOIN LATERAL (
    SELECT *
    FROM sneakerdrop.payments
    WHERE id = wanted.payment
    LIMIT 1
    FOR UPDATE
) AS p ON true`, records.Payments.List())

	runBatchWriteBegun = fmt.Sprintf(`
INSERT INTO sneakerdrop.payments (%s)
SELECT %s
FROM unnest(%s) AS n (%[1]s)`, names(records.Payments.Columns), stored(records.Payments.Columns), unnested(records.Payments.Columns))

	runBatchWritePaid = fmt.Sprintf(`
WITH written AS (
    UPDATE sneakerdrop.payments AS p
    SET (%[1]s) = ROW (%[2]s)
    FROM unnest(%[3]s) AS n (%[1]s)
    JOIN LATERAL (
        SELECT ctid
        FROM sneakerdrop.payments
        WHERE id = n.id
        LIMIT 1
    ) AS place ON true
    WHERE p.ctid = place.ctid
    RETURNING 1
)
SELECT 1 / (count(*) = cardinality($1::bigint[]))::integer FROM written`, names(paid), stored(paid), unnested(paid))

	// paid are the columns of runBatchWritePaid. The first is the key.
	paid = records.Payments.Changing()
)

func names(columns []*records.Column) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = c.Name
	}
	return strings.Join(list, ", ")
}

// stored lists the columns of n, which has the values of columnwise, as they are stored.
func stored(columns []*records.Column) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = "n." + c.Name
		switch {
		case c.Null && c.Kind == records.Text:
			list[i] = "nullif(n." + c.Name + ", '')"
		case c.Null:
			list[i] = "nullif(n." + c.Name + ", 0)"
		}
	}
	return strings.Join(list, ", ")
}

func unnested(columns []*records.Column) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = fmt.Sprintf("$%d::%s[]", i+1, arrayTypes[c.Kind])
	}
	return strings.Join(list, ", ")
}

var arrayTypes = map[records.Kind]string{records.Number: "bigint", records.Small: "smallint", records.Flag: "boolean", records.Text: "text", records.Bytes: "bytea"}

// columnwise returns the rows of a table column by column. An empty value stands for NULL.
func columnwise(columns []*records.Column, rows []any) []any {
	all := make([]any, len(columns))
	for i, c := range columns {
		switch c.Kind {
		case records.Text:
			all[i] = array(rows, func(row any) string { return c.Of(row).Text })
		case records.Bytes:
			all[i] = array(rows, func(row any) []byte { return c.Of(row).Bytes })
		case records.Flag:
			all[i] = array(rows, func(row any) bool { return c.Of(row).Number != 0 })
		case records.Small:
			all[i] = array(rows, func(row any) int16 { return int16(c.Of(row).Number) })
		default:
			all[i] = array(rows, func(row any) int64 { return c.Of(row).Number })
		}
	}
	return all
}

func array[T any](rows []any, of func(any) T) []T {
	values := make([]T, len(rows))
	for i, row := range rows {
		values[i] = of(row)
	}
	return values
}
