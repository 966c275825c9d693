package cli

import (
	"cmp"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

// The settings in deploy/ and the image exist in serve, and have values that it accepts.
func TestDeploy_SettingsAreSettings(t *testing.T) {
	image := settingsIn(t, "../../Dockerfile")
	for file, least := range map[string]int{"../../deploy/compose.yaml": 9, "../../deploy/kubernetes/settings.yaml": 8} {
		given := settingsIn(t, file)
		if len(given) < least {
			t.Errorf("only %d settings found in %s: %v", len(given), file, given)
		}
		if !strings.Contains(strings.Join(given, " "), "SNEAKERDROP_DATABASE=") { // Kubernetes sets it from a secret
			given = append(given, "SNEAKERDROP_DATABASE=postgres://sneakerdrop_serve@postgres/shop")
		}
		var c commands
		con := &console{stdout: io.Discard, stderr: io.Discard}
		_, _, err := con.parse(&c, []string{"serve"}, append(image, given...))
		s := &c.Serve
		if err = cmp.Or(err, s.checkReach(), s.signInFlags.check()); err != nil {
			t.Errorf("%s: %s", file, con.sentence(err))
		}
		// The settings that open the metrics must not open the shop if the setting for the sign-in is lost.
		if s.Insecure || !s.required() || s.Addr.Loopback() || len(s.TrustedProxy) == 0 || len(s.NATS) == 0 || s.Addr.Port != 3000 || s.MetricsAddr.Port != 9090 {
			t.Errorf("%s: %+v", file, s)
		}
	}
}

// settingsIn finds NAME=value and NAME: value. A value from a secret file, ${NAME:?…}, is replaced by one that works.
func settingsIn(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	secret := regexp.MustCompile(`\$\{[^}]*\}`)
	var found []string
	for _, m := range regexp.MustCompile(`(?m)^(?: *|ENV )(SNEAKERDROP_[A-Z_]+|HOST|PORT)[=:] ?(.*)$`).FindAllStringSubmatch(string(text), -1) {
		value := secret.ReplaceAllString(strings.Trim(m[2], `"`), strings.Repeat("s", 32))
		found = append(found, m[1]+"="+value)
	}
	return found
}

// Only the shop listens on every address, or is published to other machines.
func TestDeploy_OnlyTheShopIsOpen(t *testing.T) {
	read := func(file string) string {
		text, err := os.ReadFile("../../deploy/" + file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	inner := `"${HAPROXY_INTERNAL-127.0.0.1}:`
	section, binds := "", 0
	for line := range strings.Lines(read("haproxy.cfg")) {
		words := strings.Fields(line)
		if len(words) > 0 && line[0] != ' ' && line[0] != '#' {
			section = strings.TrimSpace(line)
		}
		if len(words) < 2 || words[0] != "bind" {
			continue
		}
		binds++
		if section != "frontend shop" && !strings.HasPrefix(words[1], inner) && !strings.HasPrefix(words[1], "127.0.0.1:") {
			t.Errorf("HAProxy: %s listens on %s", section, words[1])
		}
	}
	composed := read("compose.yaml")
	published := regexp.MustCompile(`(?m)^ +ports: *(.*)$`).FindAllStringSubmatch(composed, -1)
	for _, p := range published {
		for port := range strings.SplitSeq(strings.Trim(p[1], "[]"), ",") {
			if port = strings.Trim(port, ` "`); port != "3000:3000" && !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("Compose publishes %q", p[1])
			}
		}
	}
	listens := regexp.MustCompile(`(?m)^ +(?:listen|connect_address): (.*)$`).FindAllStringSubmatch(read("patroni.yaml"), -1)
	for _, l := range listens {
		if host, _, _ := strings.Cut(l[1], ":"); strings.Trim(host, `"'*0.[] `) == "" {
			t.Errorf("Patroni listens on %s", l[1])
		}
	}
	if binds != 3 || len(published) != 3 || len(listens) != 4 || !strings.Contains(composed, "HAPROXY_INTERNAL: 10.213.0.2\n") {
		t.Errorf("found %d binds of HAProxy, %d published ports, %d addresses of Patroni", binds, len(published), len(listens))
	}
	for _, file := range []string{"service.yaml", "deployment.yaml", "migrate.yaml"} {
		if m := regexp.MustCompile(`(?i)nodePort|hostPort|hostNetwork|LoadBalancer|externalIPs`).FindString(read("kubernetes/" + file)); m != "" {
			t.Errorf("%s has %s", file, m)
		}
	}
}

// The dashboard and the alerts use labels that the metrics have.
func TestDeploy_LabelsAreThere(t *testing.T) {
	labels := make(map[string]string)
	for _, d := range described(t) {
		if m := regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`).FindStringSubmatch(d.String()); m != nil {
			labels[m[1]] = "," + m[2] + ",job,instance,le,"
		}
	}
	for file, least := range map[string]int{"../../deploy/grafana/sneakerdrop.json": 25, "../../deploy/alerts.yaml": 8} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		selectors := 0
		for _, m := range regexp.MustCompile(`\b(sneakerdrop_[a-z_]+)\{([^}]*)\}`).FindAllStringSubmatch(string(text), -1) {
			selectors++
			for _, label := range regexp.MustCompile(`(\w+) ?(?:=~|!=|!~|=)\\?"`).FindAllStringSubmatch(m[2], -1) {
				if !strings.Contains(labels[family(m[1])], ","+label[1]+",") {
					t.Errorf("%s asks for %s of %s, which has %s", file, label[1], m[1], labels[family(m[1])])
				}
			}
		}
		if selectors < least {
			t.Errorf("only %d selectors found in %s", selectors, file)
		}
		every := strings.Join(append(valuesOf(labels), "instance"), ",")
		for _, m := range regexp.MustCompile(`by \(([^)]*)\)`).FindAllStringSubmatch(string(text), -1) {
			for label := range strings.SplitSeq(m[1], ",") {
				if !strings.Contains(every, ","+strings.TrimSpace(label)+",") {
					t.Errorf("%s sums by %s, which no metric has", file, label)
				}
			}
		}
	}
}

func valuesOf(m map[string]string) (all []string) {
	for _, v := range m {
		all = append(all, v)
	}
	return all
}

// family returns the name without the suffixes that Prometheus adds for a histogram.
func family(name string) string {
	for _, suffix := range []string{"_bucket", "_count", "_sum"} {
		name = strings.TrimSuffix(name, suffix)
	}
	return name
}

// described returns every metric that serve exports, even those without values yet.
func described(t *testing.T) (all []*prometheus.Desc) {
	t.Helper()
	r := exported(t)
	descriptions := make(chan *prometheus.Desc)
	go func() {
		defer close(descriptions)
		r.Describe(descriptions)
	}()
	for d := range descriptions {
		all = append(all, d)
	}
	return all
}
