//go:build soak && linux

package test

import "testing"

// 300 kills of each engine while buyers pay, with new records every 30.
func TestSoak_KillsLoseNoMoney(t *testing.T) {
	seed := seedOf(t)
	for round := range uint64(10) {
		t.Run("SQLite", func(t *testing.T) { newPayingKiller(t, seed+round, newSQLiteKiller).pay(30) })
		t.Run("PostgreSQL", func(t *testing.T) { newPayingKiller(t, seed+round, newPostgresKiller).pay(30) })
		t.Run("PostgreSQL, three servers", func(t *testing.T) { newPayingKiller(t, seed+round, newPostgresKiller).beside(2).pay(30) })
	}
}

// 300 kills of each engine, with new records every 30.
func TestSoak_KillsLoseNothing(t *testing.T) {
	seed := seedOf(t)
	for round := range uint64(10) {
		t.Run("SQLite", func(t *testing.T) { newSQLiteKiller(t, seed+round).run(30) })
		t.Run("PostgreSQL", func(t *testing.T) { newPostgresKiller(t, seed+round).run(30) })
	}
}
