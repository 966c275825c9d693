package memory

import "sneakerdrop/internal/store/records"

// Engine returns the store as package records sees it.
func (s *Store) Engine() records.Engine { return engine{s} }
