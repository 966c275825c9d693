package store

// SQL conditions on the column status of reservations, one for each set of statuses that package drop names.
// Statements and partial indexes must use exactly these texts, because a statement uses a partial index only if the
// conditions match.
const (
	WhereActive    = "status = 1"  // drop.Active
	WhereCompleted = "status = 2"  // drop.Completed
	WhereCounts    = "status <= 2" // drop.Status.Counts
	WhereUnpaid    = "status > 2"  // drop.Status.Unpaid
)
