package check

import (
	"bufio"
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

const nobody = 65532

// TestImage_ServesFromAnEmptyRoot does by hand what an engine does with the Dockerfile. The binary is built by the
// same command. It runs as the same user with the same settings, in a root that has the image's files and no others.
func TestImage_ServesFromAnEmptyRoot(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("changing the root needs root")
	}
	root := imageRoot(t)
	binary, err := elf.Open(filepath.Join(root, "sneakerdrop"))
	if err != nil {
		t.Fatal(err)
	}
	defer binary.Close()
	if libraries, err := binary.ImportedLibraries(); err != nil || len(libraries) > 0 {
		t.Errorf("the binary needs %v, %v", libraries, err)
	}
	settings := []string{"SNEAKERDROP_ADDR=127.0.0.1:0", "SNEAKERDROP_JWT_SECRET=" + strings.Repeat("s", 32)}

	if out, code := inImage(t, root, nil, "health"); code != 1 || !strings.Contains(out, "sneakerdrop: no answer from http://127.0.0.1:") {
		t.Errorf("health without a server: exit code %d, %s", code, out)
	}
	if out, code := inImage(t, root, []string{"SNEAKERDROP_ADDR=:0"}, "serve"); code != 1 || !strings.Contains(out, "nobody has to sign in") {
		t.Errorf("serve as the image is, without identity: exit code %d, %s", code, out)
	}
	serve := imageCommand(t, root, settings, "serve")
	out, err := serve.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	serve.Stderr = &log
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = serve.Process.Kill() // it has ended if all went well
		_ = serve.Wait()
	}()
	line, _ := bufio.NewReader(out).ReadString('\n')
	address := regexp.MustCompile(`http://(\S+)\n`).FindStringSubmatch(line)
	if address == nil {
		t.Fatalf("not ready: %s%s", line, log.String())
	}
	for _, args := range [][]string{{"health"}, {"health", "--live"}, {"token", "create", "--role=operator", "--name=Ann"}, {"log"}} {
		out, code := inImage(t, root, []string{"SNEAKERDROP_ADDR=" + address[1]}, args...)
		if code != 0 || args[0] == "log" && !strings.Contains(out, "  sneakerdrop  token create  ") {
			t.Errorf("%s: exit code %d, %s", args, code, out)
		}
	}
	if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := serve.Wait(); err != nil {
		t.Errorf("serve ended in %v: %s", err, log.String())
	}
}

// imageRoot is a folder with the files of the image.
func imageRoot(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for folder := root; folder != os.TempDir(); folder = filepath.Dir(folder) { // the image's user must be able to get there
		if err := os.Chmod(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.CommandContext(t.Context(), "make", "build", "BIN="+filepath.Join(root, "sneakerdrop"))
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, folder := range []string{"etc/ssl/certs", "data"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(root, "etc/passwd"), []byte("sneakerdrop:x:65532:65532::/data:/sneakerdrop\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(filepath.Join(root, "data"), nobody, nobody); err != nil {
		t.Fatal(err)
	}
	return root
}

func imageCommand(t *testing.T, root string, settings []string, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), "/sneakerdrop", args...)
	c.Dir, c.Env = "/data", append([]string{"PATH=/"}, settings...)
	c.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: nobody, Gid: nobody}, Pdeathsig: syscall.SIGKILL}
	return c
}

func inImage(t *testing.T, root string, settings []string, args ...string) (out string, code int) {
	t.Helper()
	c := imageCommand(t, root, settings, args...)
	text, err := c.CombinedOutput()
	if c.ProcessState == nil {
		t.Fatal(err)
	}
	return string(text), c.ProcessState.ExitCode()
}
