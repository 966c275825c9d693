package postgres_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sneakerdrop/internal/store/postgres"
)

// secret is a password. No error may contain any part of it.
const secret = "hunter2"

func TestReadAddress_AsOthersWriteThem(t *testing.T) {
	type expected struct {
		user, password, host, database string
		port                           uint16
		params                         map[string]string // other parameters of the server
		tls                            string            // none, maybe, some or verified
	}
	shop := expected{user: "u", password: secret, host: "h", port: 5432, database: "d", tls: "maybe"}
	with := func(change func(*expected)) expected {
		w := shop
		change(&w)
		return w
	}
	tls := func(mode string) expected { return with(func(w *expected) { w.tls = mode }) }
	password := func(p string) expected { return with(func(w *expected) { w.password = p }) }
	param := func(name, value string) expected {
		return with(func(w *expected) { w.params = map[string]string{name: value} })
	}
	for given, want := range map[string]expected{
		"postgres://u:hunter2@h/d":                         shop,
		"postgresql://u:hunter2@h:5432/d":                  shop,
		"POSTGRES://u:hunter2@h/d":                         shop,
		"PostgreSQL://u:hunter2@h/d":                       shop,
		"jdbc:postgresql://u:hunter2@h/d":                  shop,
		"jdbc:postgresql://h/d?user=u&password=hunter2":    shop,
		"postgresql+psycopg2://u:hunter2@h/d":              shop,
		"postgresql+asyncpg://u:hunter2@h/d":               shop,
		"postgis://u:hunter2@h/d":                          shop,
		"pgsql://u:hunter2@h/d":                            shop,
		"psql://u:hunter2@h/d":                             shop,
		"  postgres://u:hunter2@h/d\r\n":                   shop,
		"\ufeffpostgres://u:hunter2@h/d":                   shop,
		`"postgres://u:hunter2@h/d"`:                       shop,
		`'postgres://u:hunter2@h/d' `:                      shop,
		"host=h dbname=d user=u password=hunter2":          shop,
		"\n host = h  dbname=d user=u password='hunter2' ": shop,
		// Passwords that are not percent-encoded.
		"postgres://u:hun@ter2@h/d":      password("hun@ter2"),
		"postgres://u:hun/ter2@h/d":      password("hun/ter2"),
		"postgres://u:hun?ter2@h/d":      password("hun?ter2"),
		"postgres://u:hun#ter2@h/d":      password("hun#ter2"),
		"postgres://u:hun%ter2@h/d":      password("hun%ter2"),
		"postgres://u:hun:ter2@h/d":      password("hun:ter2"),
		"postgres://u:hun ter2@h/d":      password("hun ter2"),
		"postgres://u:hun+ter2@h/d":      password("hun+ter2"),
		`postgres://u:"hun\ter2^|{}@h/d`: password(`"hun\ter2^|{}`),
		"postgres://u:hun[ter]2@h/d":     password("hun[ter]2"),
		"postgres://u:ü€🦊@h/d":           password("ü€🦊"),
		"postgres://u:a@b/c?d#e%f@h/d":   password("a@b/c?d#e%f"),
		"postgres://u:12/34@h/d":         password("12/34"),
		"postgres://u:5432/x@h/d":        password("5432/x"),
		"postgres://u:@@@h/d":            password("@@"),
		"postgres://u:p@h:5432/x@h/d":    password("p@h:5432/x"),
		"postgres://u:a@b?c=d&e@h/d":     password("a@b?c=d&e"),
		"postgres://u:hun@ter2@h/d?application_name=x@y": with(func(w *expected) {
			w.password, w.params = "hun@ter2", map[string]string{"application_name": "x@y"}
		}),
		// Passwords that are percent-encoded.
		"postgres://u:hun%40ter2@h/d":                       password("hun@ter2"),
		"postgres://u:hun%2Fter2@h/d":                       password("hun/ter2"),
		"postgres://u:100%25@h/d":                           password("100%"),
		"host=h dbname=d user=u password='hun\\'t er\\\\2'": password(`hun't er\2`),
		`host=h dbname=d user=u password=hun\ ter2`:         password("hun ter2"),
		// Encryption.
		"postgres://u:hunter2@h/d?ssl=false":                                                   tls("none"),
		"postgres://u:hunter2@h/d?ssl=0":                                                       tls("none"),
		"postgres://u:hunter2@h/d?ssl=true":                                                    tls("some"),
		"postgres://u:hunter2@h/d?ssl=no-verify":                                               tls("some"),
		"postgres://u:hunter2@h/d?sslmode=no-verify":                                           tls("some"),
		"postgres://u:hunter2@h/d?sslmode=DISABLE":                                             tls("none"),
		"postgres://u:hunter2@h/d?sslmode=Require":                                             tls("some"),
		"postgres://u:hunter2@h/d?sslmode=Verify_Full":                                         tls("verified"),
		"postgres://u:hunter2@h/d?sslmode=verify-full&ssl=true":                                tls("verified"),
		"host=h dbname=d user=u password=hunter2 sslmode=DISABLE":                              tls("none"),
		"postgres://u:hunter2@h/d?ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory": tls("some"),
		"postgres://u:hunter2@h/d?sslmode=prefer&gssencmode=disable&sslcompression=0":          shop,
		"postgres://u:hunter2@h/d?sslaccept=strict":                                            tls("verified"),
		"postgres://u:hunter2@h/d?requiressl=1":                                                tls("some"),
		// Other programs' pools, and parameters for what this program does anyway.
		"postgres://u:hunter2@h/d?schema=public&connection_limit=3&pool_timeout=10":                              shop,
		"postgres://u:hunter2@h/d?pool=5&checkout_timeout=5&encoding=unicode&prepared_statements=1":              shop,
		"postgres://u:hunter2@h/d?keepalives=1&keepalives_idle=30&tcp_user_timeout=1&load_balance_hosts=disable": shop,
		"postgres://u:hunter2@h/d?client_encoding=LATIN1&timezone=Europe/Berlin&search_path=public":              shop,
		"postgres://u:hunter2@h/d?serverVersion=15&charset=utf8":                                                 shop,
		"postgres://u:hunter2@h/d?conn_max_age=600&uselibpqcompat=true":                                          shop,
		"postgres://u:hunter2@h/d?reWriteBatchedInserts=true&tcpKeepAlive=true&targetServerType=primary":         shop,
		"postgres://u:hunter2@h/d?fallback_application_name=web":                                                 param("application_name", "web"),
		"postgres://u:hunter2@h/d?ApplicationName=web&fallback_application_name=x":                               param("application_name", "web"),
		"postgres://u:hunter2@h/d?synchronous_commit=off":                                                        param("synchronous_commit", "off"),
		"postgres://u:hunter2@h/d?options=-c%20work_mem=1MB":                                                     param("options", "-c work_mem=1MB"),
		"postgres://u:hunter2@h/d?options=-c+work_mem=1MB":                                                       param("options", "-c work_mem=1MB"),
	} {
		a, err := postgres.ReadAddress(given, false)
		if err != nil {
			t.Errorf("%s: %v", given, err)
			continue
		}
		cfg, err := pgx.ParseConfig(a.URL)
		if err != nil {
			t.Errorf("%s: pgx: %v", given, err)
			continue
		}
		got := struct {
			user, password, host, database string
			port                           uint16
			params                         map[string]string
			tls                            string
		}{cfg.User, cfg.Password, cfg.Host, cfg.Database, cfg.Port, cfg.RuntimeParams, encryption(cfg)}
		delete(got.params, "pool_max_conns")
		if len(got.params) == 0 {
			got.params = nil
		}
		if got.user != want.user || got.password != want.password || got.host != want.host || got.database != want.database || got.port != want.port ||
			!maps.Equal(got.params, want.params) || got.tls != want.tls {
			t.Errorf("%s:\n%+v, want\n%+v", given, got, want)
		}
		if a.Hosts != "h" && a.Hosts != "h:5432" || a.Database != "d" {
			t.Errorf("%s is shown as %q, %q", given, a.Hosts, a.Database)
		}
	}
}

func encryption(cfg *pgx.ConnConfig) string {
	switch {
	case cfg.TLSConfig == nil:
		return "none"
	case len(cfg.Fallbacks) > 0:
		return "maybe"
	case cfg.TLSConfig.InsecureSkipVerify:
		return "some"
	}
	return "verified"
}

// A parameter that cannot be honored gets an error that names the parameter and the remedy, and contains nothing of
// the password.
func TestReadAddress_RefusesByName(t *testing.T) {
	for given, want := range map[string]string{
		"?sslmode=sometimes":                          "has the parameter sslmode, which must be disable, allow, prefer, require, verify-ca, verify-full or no-verify",
		"?ssl=perhaps":                                "has the parameter ssl, which must be true or false",
		"?ssl=false&sslmode=require":                  "ssl and sslmode, which contradict each other",
		"?schema=shop":                                "has the parameter schema, but this program's tables are always in the schema sneakerdrop",
		"?currentSchema=shop":                         "has the parameter currentSchema, but",
		"?search_path=shop,public":                    "has the parameter search_path, but",
		"?gssencmode=require":                         "has the parameter gssencmode, but GSSAPI",
		"?sslcrl=/x":                                  "has the parameter sslcrl, but",
		"?requirepeer=postgres":                       "has the parameter requirepeer, but",
		"?replication=database":                       "has the parameter replication, but",
		"?ssl_min_protocol_version=TLSv1.3":           "has the parameter ssl_min_protocol_version, but",
		"?sslcert=/server-ca.pem":                     "has the parameter sslcert but no sslkey",
		"?connection_limit=many":                      "has the parameter connection_limit, which must be a number",
		"?connect_timeout=soon":                       "has the parameter connect_timeout, which must be a whole number",
		"?socketFactory=com.google.cloud.sql.Factory": "has the parameter socketFactory, which only Java has",
		"?fooBar=1":                                   "has the parameter fooBar, which has no meaning here",
		"?readOnly=true":                              "has the parameter readOnly, but",
		"?targetServerType=third":                     "has the parameter targetServerType, which must be",
		"?hostaddr=10.0.0.1&sslmode=verify-full":      "has the parameter hostaddr, with which",
	} {
		if _, err := postgres.ReadAddress("postgres://u:"+secret+"@h/d"+given, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", given, err, want)
		}
	}
	for _, given := range []string{
		"postgres://u:hunter2?x=1@h/d?y=a@b", // the last @ may belong to the name
		"postgres://u:p@h/d?hunter2=1@h/d",   // two sets of hosts
		"postgres://u:hun%40ter2%@h/d",       // half encoded, or not at all
		"postgres://u:hunter2/%41@h/d",       // the same doubt
		"postgres://u:hunter2@h:0/d", "postgres://u:hunter2@h:70000/d", "postgres://u:hunter2@h:port/d", "postgres://u:hunter2@h:5432,h2:x/d",
		"postgres://u:hunter2@h/d\nX=1", "postgres://u:hunter2@h/d/e", "postgres://u:hunter2@h/d#x", "postgres:/u:hunter2@h/d",
		"postgres://h/d?user=u&password=hun&hunter2=x", "postgres://h/d?user=u&password=a&ter2", "postgres://h/d?password=%hun%41ter2",
		"host=h password=hun hunter2=x", "host=h password='hunter2", "host=h password=a hunter2",
		"mysql://u:hunter2@h/d", "hunter2", "", "postgres://", "host=h;password=hunter2",
	} {
		_, err := postgres.ReadAddress(given, false)
		if given == "postgres://" || given == "host=h;password=hunter2" {
			continue // PostgreSQL's default; a host with an odd name
		}
		if err == nil {
			t.Errorf("%s was taken", given)
		} else if strings.Contains(err.Error(), "hun") || strings.Contains(err.Error(), "ter2") {
			t.Errorf("%s: the sentence has part of the password: %v", given, err)
		}
	}
}

// Passwords, names and hosts survive when they are percent-encoded. Written literally, they survive or are refused.
// No error and nothing that is shown contains any part of the password.
func TestReadAddress_NeverMistakesAPassword(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 7))
	draw := func(alphabet string, most int) string {
		all, drawn := []rune(alphabet), make([]rune, 1+r.IntN(most))
		for i := range drawn {
			drawn[i] = all[r.IntN(len(all))]
		}
		return string(drawn)
	}
	hosts := []string{"h", "db.example:5432", "a,b", "a:1,b:2", "[::1]:5432", "[fe80::1]", "10.0.0.1", "my_db", "%2Fvar%2Frun", ""}
	taken, refused := 0, 0
	for range 5_000 {
		password := draw(`QXZ@/?#%:&=+ "'\[]^{}|;,~ü山`, 12)
		host, name := hosts[r.IntN(len(hosts))], draw("abc_", 5)
		encoded := fmt.Sprintf("postgres://%s@%s/%s", url.UserPassword("user", password), host, name)
		wantPassword(t, seed, encoded, password, name, true)
		raw := fmt.Sprintf("postgres://user:%s@%s/%s?sslmode=disable", password, host, name)
		if wantPassword(t, seed, raw, password, name, false) {
			taken++
		} else {
			refused++
		}
		a, err := postgres.NewAddress("user", password, "h", "5432", name)
		if err != nil {
			t.Errorf("seed %d: in parts, %q: %v", seed, password, err)
			continue
		}
		wantPassword(t, seed, a.URL, password, name, true)
	}
	if taken < 10*refused {
		t.Errorf("seed %d: of passwords as they are %d were taken and %d refused", seed, taken, refused)
	}
}

func wantPassword(t *testing.T, seed uint64, given, password, name string, must bool) (taken bool) {
	t.Helper()
	a, err := postgres.ReadAddress(given, false)
	if err != nil {
		if must || len(password) > 3 && strings.Contains(err.Error(), password) {
			t.Errorf("seed %d: %q: %v", seed, given, err)
		}
		return false
	}
	cfg, err := pgx.ParseConfig(a.URL)
	switch {
	case err != nil:
		t.Errorf("seed %d: %q: pgx: %v", seed, given, err)
	case cfg.Password != password || cfg.User != "user" || cfg.Database != name:
		t.Errorf("seed %d: %q is read as user %q, password %q, database %q", seed, given, cfg.User, cfg.Password, cfg.Database)
	case len(password) > 3 && strings.Contains(a.Hosts+a.Database+a.Ignored, password):
		t.Errorf("seed %d: %q is shown as %q, %q", seed, given, a.Hosts, a.Database)
	}
	again, err := postgres.ReadAddress(a.URL, false)
	if err != nil || again != a {
		t.Errorf("seed %d: %q read again: %+v, %v, want %+v", seed, given, again, err, a)
	}
	return true
}

// FuzzReadAddress: every text is read in a way that pgx accepts, or refused in one line. That line quotes nothing of
// the text except what looks like a parameter's name.
func FuzzReadAddress(f *testing.F) {
	for _, s := range []string{
		"postgres://u:p@h/d", "postgres://u:p@ss/w?rd#x%@h:5432/d?sslmode=disable", "host=h user=u password='a b'", "jdbc:postgresql://h/d?user=a&password=b",
		"postgres://h/d?options=-c%20a=b&pool=3", "postgres://[::1]:1,[::2]/d", "postgres://%zz@h", "host=\\", "postgres://u:p@h/d?ssl=1&sslmode=no-verify",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, given string) {
		a, err := postgres.ReadAddress(given, false)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") {
				t.Errorf("%q: %v", given, err)
			}
			return
		}
		if again, err := postgres.ReadAddress(a.URL, false); err != nil || again.URL != a.URL {
			t.Errorf("%q: %q, read again: %q, %v", given, a.URL, again.URL, err)
		}
	})
}
