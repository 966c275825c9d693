package postgres_test

import (
	"os"
	"testing"

	"sneakerdrop/internal/store"
	"sneakerdrop/internal/store/postgres"
	"sneakerdrop/internal/testing/pgtest"
	"sneakerdrop/internal/testing/stores"
	"sneakerdrop/internal/testing/storetest"
)

func TestMain(m *testing.M) { os.Exit(pgtest.Main(m)) }

func open(t testing.TB, url string) *postgres.Store {
	t.Helper()
	return stores.Postgres(t, url)
}

func TestEngine(t *testing.T) { storetest.Engine(t, open(t, pgtest.Migrated(t)).Engine()) }

func TestStore_KeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, pgtest.Migrated(t)) })
}
