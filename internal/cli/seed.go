package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"sneakerdrop/internal/drop"
	"sneakerdrop/internal/store"
)

type seedCommand struct {
	common
	Force    bool          `help:"First delete everything in the database."`
	Currency drop.Currency `default:"USD" placeholder:"CODE" help:"The shop's currency, as given to serve. If it has no decimals, the prices are a hundred times as high."`
}

func (c *seedCommand) run(ctx context.Context, con *console) error {
	s, _, _, err := con.open(ctx, c.Database, c.waiting, c.logger(con.stderr))
	if err != nil {
		return err
	}
	users, drops := samples(time.Now(), c.Currency)
	err = errors.Join(recorded(ctx, s, "seed", fmt.Sprintf("force %t", c.Force), func() error {
		return store.Fill(ctx, s, users, drops, c.Force)
	}), s.Close())
	if errors.Is(err, store.ErrNotEmpty) {
		return fmt.Errorf("%s is not empty, and nothing was changed; to delete everything in it first, add --force", c.Database)
	}
	if err != nil {
		return fmt.Errorf("seed: %w", con.databaseError(c.Database, err))
	}
	replaced := ""
	if c.Force {
		replaced = " and replaced everything that was there"
	}
	fmt.Fprintf(con.stdout, "seeded %d users and %d drops%s\n", len(users), len(drops), replaced)
	return nil
}

// samples returns the sample data: users 1 to 5 and drops 1 to 6. The start times are around now, and the prices fit
// the currency.
func samples(now time.Time, in drop.Currency) ([]drop.User, []store.Filled) {
	users := []drop.User{
		{ID: 1, Username: "ava", Email: "ava@example.com"},
		{ID: 2, Username: "ben", Email: "ben@example.com"},
		{ID: 3, Username: "chiara", Email: "chiara@example.com"},
		{ID: 4, Username: "deniz", Email: "deniz@example.com"},
		{ID: 5, Username: "emeka", Email: "emeka@example.com"},
	}
	at := func(d time.Duration) drop.Time { return drop.TimeOf(now.Add(d)) }
	units := func(n int64) *int64 { return &n }
	specs := []drop.Spec{
		{Name: "Tidewater Low “First Light”", Price: 149_00, StartTime: at(-24 * time.Hour), TotalStock: units(100)},
		{Name: "Halfpipe 88 Suede", Price: 119_95, StartTime: at(-time.Hour), TotalStock: units(50)},
		{Name: "Night Courier Mid", Price: 189_50, StartTime: at(-time.Minute), Sizes: usSizes(), LimitPerUser: 1},
		{Name: "Basalt Trail", Price: 164_00, StartTime: at(-time.Minute), TotalStock: units(1)},
		{Name: "Paper Crane High", Price: 210_00, StartTime: at(time.Minute), TotalStock: units(25)},
		{Name: "Aurora Runner “Polar Day”", Price: 175_00, StartTime: at(24 * time.Hour), TotalStock: units(200), LimitPerUser: 2},
	}
	drops := make([]store.Filled, len(specs))
	for i := range specs {
		if in.Decimals == 0 { // 119.95 dollars are about 12,000 yen
			specs[i].Price *= 100
		}
		var batch drop.BatchID
		_, _ = rand.Read(batch[:]) // crypto/rand.Read never fails
		drops[i].State, drops[i].Changes = specs[i].Create(drop.ID(i+1), drop.TimeOf(now), batch)
	}
	return users, drops
}

// usSizes are US 7 to 12 in half sizes, with most pairs in the middle.
func usSizes() []drop.SizeSpec {
	return []drop.SizeSpec{
		{Label: "7", Stock: 2},
		{Label: "7.5", Stock: 3},
		{Label: "8", Stock: 5},
		{Label: "8.5", Stock: 8},
		{Label: "9", Stock: 10},
		{Label: "9.5", Stock: 12},
		{Label: "10", Stock: 12},
		{Label: "10.5", Stock: 10},
		{Label: "11", Stock: 6},
		{Label: "11.5", Stock: 4},
		{Label: "12", Stock: 3},
	}
}
