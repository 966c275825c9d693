package importer_test

import (
	"strings"
	"testing"

	"sneakerdrop/internal/importer"
	"sneakerdrop/internal/testing/stores"
)

// Whatever settings the database has for its readers, an import reads the same. It can also read another schema than
// the usual one if the URL says so.
func TestRun_SettingsOfTheSourceDoNotMatter(t *testing.T) {
	o := newOrigin(t, tables, sample)
	database := o.pool.Config().ConnConfig.Database
	before, err := o.pool.Acquire(t.Context()) // not affected by the settings below
	if err != nil {
		t.Fatal(err)
	}
	defer before.Release()
	alter := func(sql string) {
		if _, err := before.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	for _, setting := range []string{
		"TimeZone = 'Asia/Kathmandu'", "DateStyle = 'German, DMY'", "client_encoding = 'LATIN1'", "statement_timeout = '1ms'", "lock_timeout = '1ms'",
		"extra_float_digits = -15", "client_min_messages = 'debug5'", "bytea_output = 'escape'", "default_transaction_isolation = 'serializable'",
	} {
		alter("ALTER DATABASE " + database + " SET " + setting)
	}
	for _, url := range []string{o.url, o.url + "&timezone=Asia/Kathmandu&client_encoding=LATIN1", o.url + "&search_path=elsewhere"} {
		if strings.Contains(url, "elsewhere") {
			alter(`CREATE SCHEMA elsewhere`)
			for _, table := range []string{"Drops", "Users", "Reservations", "Purchases"} {
				alter(`ALTER TABLE "` + table + `" SET SCHEMA elsewhere`)
			}
		}
		s := stores.Open(t, "sqlite")
		report, err := importer.Run(t.Context(), url, s, usd)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if report.Drops != 2 || report.Purchases != 1 {
			t.Errorf("%s:\n%s", url, show(report))
		}
		checkSample(t, readBooks(t, s))
	}
}
