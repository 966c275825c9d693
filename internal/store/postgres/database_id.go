package postgres

import "context"

// DatabaseID identifies this database. The id is the same for all its users, before and after a failover, and behind
// a pooler. A physical copy of the cluster has the same id.
func (s *Store) DatabaseID(ctx context.Context) (string, error) {
	var id string
	if err := s.pool.QueryRow(ctx, databaseID).Scan(&id); err != nil {
		return "", s.fail("read the database's id", err)
	}
	return id, nil
}
