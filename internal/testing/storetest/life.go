package storetest

import "time"

var lifeTests = []test{
	{"Migrate_OnceMoreChangesNothing", migrateOnceMore},
	{"Migrate_ManyAtOnce", migrateManyAtOnce},
	{"Ready_OfAMigratedStore", ready},
	{"Close_TwiceIsSafe", closeTwice},
	{"Close_WaitsForTheCallsUnderWay", closeWaits},
}

func migrateOnceMore(f *fixture) {
	f.fill(false)
	from, to, err := f.Migrate(f.ctx)
	if err != nil || from != to || to < 1 {
		f.Errorf("Migrate of a migrated store: from %d to %d, %v", from, to, err)
	}
	f.wantSample()
}

func migrateManyAtOnce(f *fixture) {
	f.fill(false)
	all(8, func(int) {
		if from, to, err := f.Migrate(f.ctx); err != nil || from != to {
			f.Errorf("Migrate: from %d to %d, %v", from, to, err)
		}
	})
	f.wantSample()
}

func ready(f *fixture) {
	if err := f.Ready(f.ctx); err != nil {
		f.Errorf("Ready: %v", err)
	}
}

func closeTwice(f *fixture) {
	f.create(plain(1))
	for range 2 {
		if err := f.Close(); err != nil {
			f.Errorf("Close: %v", err)
		}
	}
}

func closeWaits(f *fixture) {
	id := f.create(plain(1))
	_, free := f.occupy(id)
	closed := make(chan error, 1)
	go func() { closed <- f.Close() }()
	select {
	case err := <-closed:
		f.Errorf("Close returned (%v) while a batch was under way", err)
		closed <- err
	case <-time.After(100 * time.Millisecond):
	}
	if err := free(); err != nil {
		f.Errorf("the batch under way: %v", err)
	}
	if err := <-closed; err != nil {
		f.Errorf("Close: %v", err)
	}
}
