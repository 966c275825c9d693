package postgres

import "context"

// Shop tells this database from every other: the same for all who use it, before and after a failover, also behind a pooler. A physical
// copy of the cluster has the same.
func (s *Store) Shop(ctx context.Context) (string, error) {
	var name string
	if err := s.pool.QueryRow(ctx, shopName).Scan(&name); err != nil {
		return "", s.fail("tell the database from others", err)
	}
	return name, nil
}
