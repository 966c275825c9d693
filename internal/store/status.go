package store

// Conditions of SQL on the column status of reservations, one for each set of statuses that package drop names.
// Statements and partial indexes use these and no others, word for word: a statement takes a partial index only if
// both say the same.
const (
	WhereActive    = "status = 1"  // drop.Active
	WhereCompleted = "status = 2"  // drop.Completed
	WhereCounts    = "status <= 2" // drop.Status.Counts
	WhereUnpaid    = "status > 2"  // drop.Status.Unpaid
)
