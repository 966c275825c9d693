package cli

import (
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"regexp"
)

// warnOfModes names the files that other users of this machine can read or change, and the command that prevents it.
// Missing files and empty names are skipped.
func warnOfModes(log *slog.Logger, files ...string) {
	for _, name := range files {
		info, err := os.Stat(name)
		if name == "" || err != nil || !info.Mode().IsRegular() {
			continue
		}
		can, keepsOut := openTo(info)
		if can != "" {
			log.Warn(fmt.Sprintf("other users of this machine can %s %s; chmod %s %s keeps them out", can, name, keepsOut, name),
				"mode", fmt.Sprintf("%04o", info.Mode().Perm()))
		}
	}
}

// openTo returns what others than a file's owner can do with it, and the mode that prevents it. A file of another
// user that our group can read is how an administrator passes it to us.
func openTo(info fs.FileInfo) (can, keepsOut string) {
	const read, write = 0o044, 0o022
	others := info.Mode().Perm() & 0o077
	keepsOut = "600"
	if owner, known := ownedByUs(info); !known {
		return "", ""
	} else if !owner {
		others &^= 0o040
		keepsOut = "640"
	}
	switch {
	case others&read != 0 && others&write != 0:
		return "read and change", keepsOut
	case others&write != 0:
		return "change", keepsOut
	case others&read != 0:
		return "read", keepsOut
	default:
		return "", ""
	}
}

// secretFiles returns the files with a server's secrets. .env counts if it contains any.
func (c *serveCommand) secretFiles(s *settings) []string {
	files := []string{c.JWTSecretFile, c.TLSKey, c.NATSCreds, c.NATSKey, c.StripeFile, c.HookFile, c.CheckoutFile}
	for _, l := range s.layers {
		for _, p := range l.pairs {
			if p.value != "" && (secretName.MatchString(p.name) || secretValue.MatchString(p.value)) {
				return append(files, dotenvFile)
			}
		}
	}
	return files
}

var (
	secretName  = regexp.MustCompile(`(?i)(SECRET|PASSWORD|TOKEN|STRIPE_KEY)$`)
	secretValue = regexp.MustCompile(`://[^/\s]+@`)
)
