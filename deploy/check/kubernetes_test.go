package check

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"
)

const folder = "../kubernetes"

// read decodes a file strictly: an unknown field is an error.
func read[T any](t *testing.T, name string) T {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	var v T
	if err := yaml.UnmarshalStrict(text, &v); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	return v
}

// This is the API server's own validation, without a server.
func TestKubernetes_IsValid(t *testing.T) {
	files, err := filepath.Glob(folder + "/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"run", "sigs.k8s.io/kubectl-validate@v0.0.4", "--version=1.30"}
	for _, f := range files {
		if filepath.Base(f) != "kustomization.yaml" { // only kubectl reads it
			args = append(args, f)
		}
	}
	if len(args) < 10 {
		t.Fatalf("only the files %s", files)
	}
	if out, err := exec.CommandContext(t.Context(), "go", args...).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// kustomize combines all files except the example of a secret.
func TestKubernetes_IsPutTogether(t *testing.T) {
	if _, err := exec.LookPath("kubectl"); err != nil {
		t.Skip("there is no kubectl")
	}
	out, err := exec.CommandContext(t.Context(), "kubectl", "kustomize", folder).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"Namespace", "ConfigMap", "Job", "Deployment", "Service", "PodDisruptionBudget", "NetworkPolicy"} {
		if !bytes.Contains(out, []byte("\nkind: "+kind+"\n")) {
			t.Errorf("%s is missing", kind)
		}
	}
	if bytes.Contains(out, []byte("kind: Secret\n")) || bytes.Contains(out, []byte("change-me")) {
		t.Error("the example of a secret is among them")
	}
	if n := bytes.Count(out, []byte("image: sneakerdrop:0.1.0\n")); n != 2 {
		t.Errorf("%d containers have the image of this version", n)
	}
}

func TestKubernetes_TheFilesAgree(t *testing.T) {
	d := read[apps.Deployment](t, "deployment.yaml")
	s := read[core.Service](t, "service.yaml")
	b := read[policy.PodDisruptionBudget](t, "disruption.yaml")
	n := read[networking.NetworkPolicy](t, "network.yaml")
	j := read[batch.Job](t, "migrate.yaml")
	settings := read[core.ConfigMap](t, "settings.yaml")
	secret := read[core.Secret](t, "secret.example.yaml")

	labels := d.Spec.Template.Labels
	for what, selector := range map[string]map[string]string{
		"deployment": d.Spec.Selector.MatchLabels, "service": s.Spec.Selector, "budget": b.Spec.Selector.MatchLabels, "network": n.Spec.PodSelector.MatchLabels,
	} {
		for name, value := range selector {
			if labels[name] != value {
				t.Errorf("%s selects %s=%s, but pods have %v", what, name, value, labels)
			}
		}
	}
	for name, value := range s.Spec.Selector {
		if name == "app.kubernetes.io/component" && j.Spec.Template.Labels[name] == value {
			t.Error("the service sends buyers to the job")
		}
	}
	serve := d.Spec.Template.Spec.Containers[0]
	ports := make(map[string]int32)
	for _, p := range serve.Ports {
		ports[p.Name] = p.ContainerPort
	}
	if !strings.HasSuffix(settings.Data["SNEAKERDROP_METRICS_ADDR"], ":9090") || ports["metrics"] != 9090 || ports["http"] != 3000 {
		t.Errorf("ports %v, metrics at %s", ports, settings.Data["SNEAKERDROP_METRICS_ADDR"])
	}
	if s.Spec.Ports[0].TargetPort.StrVal != "http" || s.Spec.SessionAffinity != core.ServiceAffinityClientIP {
		t.Errorf("the service: %+v", s.Spec)
	}
	for _, c := range []core.Container{serve, j.Spec.Template.Spec.Containers[0]} {
		for _, e := range c.Env {
			if _, ok := secret.StringData[e.ValueFrom.SecretKeyRef.Key]; !ok {
				t.Errorf("%s needs the secret %s, which the example does not have", c.Name, e.ValueFrom.SecretKeyRef.Key)
			}
			if optional := e.ValueFrom.SecretKeyRef.Optional; optional != nil && *optional {
				t.Errorf("%s starts without its secret", c.Name)
			}
		}
		if !*c.SecurityContext.ReadOnlyRootFilesystem || *c.SecurityContext.AllowPrivilegeEscalation {
			t.Errorf("%s has too many rights", c.Name)
		}
	}
	const shutdownTimeout = 10 // the default of --shutdown-timeout, in seconds
	if before := serve.Lifecycle.PreStop.Sleep.Seconds; *d.Spec.Template.Spec.TerminationGracePeriodSeconds < before+shutdownTimeout+5 {
		t.Errorf("killed after %d s, of which %d are before SIGTERM", *d.Spec.Template.Spec.TerminationGracePeriodSeconds, before)
	}
	for what, probe := range map[string]*core.Probe{"/readyz": serve.ReadinessProbe, "/livez": serve.LivenessProbe} {
		if probe.HTTPGet.Path != what || probe.HTTPGet.Port.StrVal != "http" || probe.TimeoutSeconds <= 2 {
			t.Errorf("%s: %+v", what, probe)
		}
	}
	if serve.StartupProbe.HTTPGet.Path != "/livez" { // a server that waits for its database answers this, and Kubernetes must not kill it
		t.Errorf("the startup probe: %+v", serve.StartupProbe)
	}
}
