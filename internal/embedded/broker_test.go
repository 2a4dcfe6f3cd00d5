package embedded

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

func broker(t *testing.T, o BrokerOptions) *Broker {
	t.Helper()
	b, err := StartBroker(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

func client(t *testing.T, b *Broker, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append(opts, kgo.SeedBrokers(b.Addrs()...))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestBrokerKeepsItsRecords(t *testing.T) {
	for _, sync := range []bool{false, true} {
		t.Run(fmt.Sprintf("sync=%v", sync), func(t *testing.T) {
			o := BrokerOptions{Dir: t.TempDir(), SyncWrites: sync}
			b := broker(t, o)
			c := client(t, b, kgo.DefaultProduceTopic("t"))
			if _, err := kadm.NewClient(c).CreateTopic(t.Context(), 1, 1, nil, "t"); err != nil {
				t.Fatal(err)
			}
			if err := c.ProduceSync(t.Context(), kgo.StringRecord("a"), kgo.StringRecord("b")).FirstErr(); err != nil {
				t.Fatal(err)
			}
			c.Close()
			b.Close()

			c = client(t, broker(t, o), kgo.ConsumeTopics("t"))
			var got []string
			for len(got) < 2 {
				fs := c.PollFetches(t.Context())
				if err := fs.Err(); err != nil {
					t.Fatal(err)
				}
				fs.EachRecord(func(r *kgo.Record) { got = append(got, string(r.Value)) })
			}
			if strings.Join(got, "") != "ab" {
				t.Errorf("records after a restart = %q, want a and b", got)
			}
		})
	}
}

func TestBrokerFolderInUse(t *testing.T) {
	o := BrokerOptions{Dir: t.TempDir()}
	b := broker(t, o)
	_, err := StartBroker(t.Context(), o)
	if inUse, ok := errors.AsType[*InUseError](err); !ok || inUse.PID != os.Getpid() {
		t.Errorf("second start = %v, want an InUseError naming process %d", err, os.Getpid())
	}
	b.Close()
	broker(t, o) // given up, it can be taken
}

func TestBrokerPortInUse(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, err = StartBroker(t.Context(), BrokerOptions{Port: ln.Addr().(*net.TCPAddr).Port})
	if err == nil || !strings.Contains(err.Error(), "is in use") {
		t.Errorf("start on a taken port = %v, want an error that says so", err)
	}
}
