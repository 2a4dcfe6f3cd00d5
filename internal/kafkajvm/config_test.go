package kafkajvm

import (
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
)

func TestSettings(t *testing.T) {
	b := &Broker{opts: Options{Dir: "/k", Config: map[string]string{"log.retention.bytes": "1", "num.io.threads": "8"}}, port: 20001, ctlPort: 20002}
	set := b.settings()
	for k, want := range map[string]string{
		"advertised.listeners":             "PLAINTEXT://127.0.0.1:20001",
		"controller.quorum.voters":         "1@127.0.0.1:20002",
		"log.dirs":                         "/k/data",
		"auto.create.topics.enable":        "false",
		"group.initial.rebalance.delay.ms": "0",
		"log.retention.bytes":              "1", // added
		"num.io.threads":                   "8", // replaced
	} {
		if got := set[k]; got != want {
			t.Errorf("settings()[%s] = %q, want %q", k, got, want)
		}
	}
	for l := range strings.SplitSeq(set["listeners"], ",") {
		if !strings.Contains(l, "://127.0.0.1:") {
			t.Errorf("listener %s is not on loopback", l)
		}
	}
}

func TestFreePortsAreFreeAndNotLentToOthers(t *testing.T) {
	a, b, err := freePorts()
	if err != nil {
		t.Fatal(err)
	}
	if a == b {
		t.Errorf("freePorts() = %d, %d, want two", a, b)
	}
	for _, p := range []int{a, b} {
		if p >= 32768 {
			t.Errorf("freePorts() gave %d, in the range of outgoing connections", p)
		}
		ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(p)))
		if err != nil {
			t.Errorf("freePorts() gave %d: %v", p, err)
			continue
		}
		if err := ln.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestReadClusterID(t *testing.T) {
	b := &Broker{opts: Options{Dir: t.TempDir()}}
	if id, err := b.readClusterID(); id != "" || err != nil {
		t.Errorf("readClusterID of a new folder = %q, %v, want none", id, err)
	}
	if err := os.MkdirAll(b.dataDir(), 0o755); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"version=1\ncluster.id=abc_-1\nnode.id=1\n": "abc_-1", "version=1\n": ""} {
		if err := os.WriteFile(b.dataDir()+"/meta.properties", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if id, err := b.readClusterID(); id != want || (err == nil) != (want != "") {
			t.Errorf("readClusterID of %q = %q, %v, want %q", text, id, err, want)
		}
	}
}
