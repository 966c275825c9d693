//go:build linux

package cluster

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// network is a switch with a cable to each machine. If the system allows no networks of our own, all machines are
// loopback addresses, and no cable can be pulled.
type network struct {
	prefix string // of all addresses
	real   bool
}

// machine is a network namespace with an address, or only the address.
type machine struct {
	name, address string
	network       *network
	namespace     *os.File // nil: everybody's
}

// machines are all machines, by the last number of their address.
var machines = map[string]int{
	"db1": 11, "db2": 12, "db3": 13, "etcd1": 21, "etcd2": 22, "etcd3": 23, "nats1": 31, "nats2": 32, "nats3": 33,
	"app1": 41, "app2": 42, "app3": 43, "lb": 50,
}

// newNetwork makes the switch. Buyers and the operators of the machines are connected to it directly.
func newNetwork(t testing.TB) *network {
	t.Helper()
	if !entered() {
		return &network{prefix: "127.77.0."}
	}
	n := &network{prefix: "10.77.0.", real: true}
	for _, line := range []string{
		"link set lo up", "link add switch type bridge", "link set switch up", "addr add " + n.outside().String() + "/24 dev switch",
	} {
		must(t, ip(nil, line))
	}
	return n
}

// outside is an address on the switch that belongs to no machine, like those of buyers and operators.
func (n *network) outside() netip.Addr { return netip.MustParseAddr(n.prefix + "254") }

// plug returns the machine with that name, connected to the network.
func (n *network) plug(t testing.TB, name string) *machine {
	t.Helper()
	m := &machine{name: name, network: n, address: fmt.Sprint(n.prefix, machines[name])}
	if !n.real {
		return m
	}
	var err error
	m.namespace, err = newNamespace()
	must(t, err)
	cable := fmt.Sprintf("link add cable-%s type veth peer name eth0 netns /proc/self/fd/3", name)
	must(t, ip(m.namespace, cable))
	must(t, ip(nil, "link set cable-"+name+" master switch up"))
	for _, line := range []string{"link set lo up", "addr add " + m.address + "/24 dev eth0", "link set eth0 up"} {
		must(t, m.ip(line))
	}
	return m
}

// pull unplugs the machine's cable: everything sent to it or by it is lost silently.
func (m *machine) pull() error { return ip(nil, "link set cable-"+m.name+" down") }

// mend plugs the cable in again.
func (m *machine) mend() error { return ip(nil, "link set cable-"+m.name+" up") }

// forget drops everything that the machine sends to others; what they send still arrives.
func (m *machine) forget(others ...*machine) error {
	var err error
	for _, o := range others {
		err = errors.Join(err, m.ip("route add blackhole "+o.address))
	}
	return err
}

// remember ends forget.
func (m *machine) remember(others ...*machine) error {
	var err error
	for _, o := range others {
		err = errors.Join(err, m.ip("route del blackhole "+o.address))
	}
	return err
}

// at is the address of a service on the machine.
func (m *machine) at(port int) string { return fmt.Sprintf("%s:%d", m.address, port) }

// ip runs a command of iproute2 where the buyers are; namespace is its file 3.
func ip(namespace *os.File, line string) error {
	cmd := exec.Command("ip", strings.Fields(line)...)
	if namespace != nil {
		cmd.ExtraFiles = []*os.File{namespace}
	}
	return said(cmd.CombinedOutput())(line)
}

// ip runs one on the machine.
func (m *machine) ip(line string) error {
	var out []byte
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked, so nobody else gets a thread of another namespace
		if err = m.enter(); err == nil {
			out, err = exec.Command("ip", strings.Fields(line)...).CombinedOutput()
		}
	}()
	<-done
	return said(out, err)(line)
}

func said(out []byte, err error) func(line string) error {
	return func(line string) error {
		if err != nil {
			return fmt.Errorf("ip %s: %w: %s", line, err, out)
		}
		return nil
	}
}

// enter moves the thread, which must be locked, to the machine.
func (m *machine) enter() error {
	if m.namespace == nil {
		return nil
	}
	return unix.Setns(int(m.namespace.Fd()), unix.CLONE_NEWNET)
}

// newNamespace is kept alive by its file.
func newNamespace() (f *os.File, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if err = unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return
		}
		f, err = os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
	}()
	<-done
	return f, err
}
