package identity

import (
	"bytes"
	"context"
	"errors"
	"fmt"
)

// Reload switches to the current keys: the given secret, if there is one, or else the provider's, which is asked at
// once. changed says whether they differ from before. Tokens that the new keys do not verify are invalid from then
// on. After an error the old keys stay in use.
func (v *Verifier) Reload(ctx context.Context, secret []byte) (changed bool, err error) {
	switch keys := v.keys.(type) {
	case *shared:
		if err := checkSecret(secret); err != nil {
			return false, err
		}
		if old, _ := keys.set.Load().keys[0].material.([]byte); bytes.Equal(old, secret) {
			return false, nil
		}
		keys.set.Store(secretKeys(secret))
		v.quick.Store(newQuick(secret))
		return true, nil
	case *remote:
		return keys.reload(ctx)
	default:
		return false, errors.New("these keys cannot be reloaded")
	}
}

// reload asks the provider now, even during a rest.
func (r *remote) reload(ctx context.Context) (changed bool, err error) {
	asked := r.ask()
	set, err := r.provider.fetch(ctx)
	if err != nil {
		return false, fmt.Errorf("ask the identity provider for its keys: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.use(set, asked), nil
}
