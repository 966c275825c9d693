package cli

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestModes_OpenFilesAreNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "shop.db")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, can := range map[os.FileMode]string{
		0o600: "", 0o400: "", 0o700: "", 0o711: "", 0o644: "read", 0o640: "read", 0o604: "read", 0o666: "read and change", 0o660: "read and change",
		0o622: "change", 0o602: "change", 0o620: "change", 0o606: "read and change", 0o777: "read and change",
	} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		warnOfModes(slog.New(slog.NewTextHandler(&log, nil)), file, "", filepath.Dir(file), file+".none")
		want := fmt.Sprintf("other users of this machine can %s %s; chmod 600 %s keeps them out", can, file, file)
		if strings.Contains(log.String(), want) != (can != "") || strings.Count(log.String(), "\n") > 1 || can == "" && log.Len() > 0 {
			t.Errorf("%o: %q", mode, log.String())
		}
	}
	if os.Geteuid() != 0 {
		return // only root can give a file away
	}
	if err := os.Chown(file, 1, -1); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]string{0o640: "", 0o440: "", 0o644: "can read ", 0o660: "can change ", 0o666: "chmod 640 "} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		warnOfModes(slog.New(slog.NewTextHandler(&log, nil)), file)
		if (want == "") != (log.Len() == 0) || !strings.Contains(log.String(), want) {
			t.Errorf("%o of another user: %q, want %q", mode, log.String(), want)
		}
	}
}

// The server names each of its files, and .env if that contains a secret.
func TestModes_OfAServersFiles(t *testing.T) {
	for dotenv, has := range map[string]bool{
		"DB_PASSWORD=x": true, "SNEAKERDROP_JWT_SECRET=x": true, "DATABASE_URL=postgres://u:p@h/d": true, "SNEAKERDROP_NATS=nats://token@h": true,
		"SNEAKERDROP_STRIPE_KEY=x": true, "SNEAKERDROP_STRIPE_WEBHOOK_SECRET=x": true, "SNEAKERDROP_CHECKOUT_SECRET=x": true,
		"PORT=3000": false, "DB_PASSWORD=": false, "DATABASE_URL=postgres://h/d": false,
	} {
		var c commands
		con, _ := said(t, &c, dotenv, nil, "serve", "--tls-key=key.pem", "--jwt-secret-file=secret", "--nats-creds=x.creds", "--nats-key=n.pem",
			"--stripe-key-file=stripe", "--stripe-webhook-secret-file=hook", "--checkout-secret-file=checkout")
		files := strings.Join(c.Serve.secretFiles(con.settings), " ")
		if strings.Contains(files, dotenvFile) != has || !strings.HasPrefix(files, "secret key.pem x.creds n.pem stripe hook checkout") {
			t.Errorf("%s: %s", dotenv, files)
		}
	}
}

// Any command that opens a database warns that others can.
func TestModes_OfADatabase(t *testing.T) {
	t.Chdir(t.TempDir())
	run := func(args ...string) string {
		var out, errs strings.Builder
		if code := Run(t.Context(), args, nil, &out, &errs); code != 0 {
			t.Fatalf("%s: %d, %s", args, code, errs.String())
		}
		return errs.String()
	}
	run("migrate")
	info, err := os.Stat("sneakerdrop.db")
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("a new file: %v, %v", info.Mode(), err)
	}
	if err := os.Chmod("sneakerdrop.db", 0o666); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"migrate"}, {"audit"}, {"token", "list"}, {"seed"}, {"copy", "--from=sqlite:sneakerdrop.db", "--to=sqlite:new.db"}} {
		said := run(args...)
		if !strings.Contains(said, "other users of this machine can read and change sneakerdrop.db; chmod 600 sneakerdrop.db keeps them out") || strings.Contains(said, "new.db") {
			t.Errorf("%s: %q", args, said)
		}
	}
}
