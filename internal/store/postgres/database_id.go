package postgres

import "context"

// DatabaseID tells this database from every other: the same for all who use it, before and after a failover, also
// behind a pooler. A physical copy of the cluster has the same.
func (s *Store) DatabaseID(ctx context.Context) (string, error) {
	var id string
	if err := s.pool.QueryRow(ctx, databaseID).Scan(&id); err != nil {
		return "", s.fail("tell the database from others", err)
	}
	return id, nil
}
