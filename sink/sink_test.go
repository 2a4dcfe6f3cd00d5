package sink

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/leadroute/leadroute"
)

func TestEventsArriveOnce(t *testing.T) {
	b, c := brokers(t)
	db := open(t, address(t))
	s, stop := running(t, Config{Brokers: b.Addrs(), DB: db, Linger: 20 * time.Millisecond, MaxRows: 700})
	events := sample(5000)
	produce(t, c, events...)
	produce(t, c, events[1000:2000]...) // a stage replays: the same events at new offsets
	want(t, settled(t, s, db), 5000)
	if lag, err := s.Lag(t.Context()); lag != 0 || err != nil {
		t.Errorf("Lag = %d, %v; want 0", lag, err)
	}
	began := time.Now()
	stop()
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("stop took %v, want less than 3s", took)
	}
}

// polled counts the records that a client has handed out.
type polled struct{ n atomic.Int64 }

func (p *polled) OnFetchRecordUnbuffered(_ *kgo.Record, polled bool) {
	if polled {
		p.n.Add(1)
	}
}

func TestStopWritesWhatItHolds(t *testing.T) {
	b, c := brokers(t)
	db := open(t, address(t))
	var read polled
	_, stop := running(t, Config{Brokers: b.Addrs(), DB: db, Linger: time.Hour, Client: []kgo.Opt{kgo.WithHooks(&read)}})
	produce(t, c, sample(500)...)
	for read.n.Load() < 500 {
		if t.Context().Err() != nil {
			t.Fatalf("%d records read, want 500", read.n.Load())
		}
		runtime.Gosched()
	}
	stop()
	if got, err := db.CountEvents(t.Context()); got != 500 || err != nil {
		t.Errorf("events after the stop = %d, %v; want 500", got, err)
	}
	again, _ := running(t, Config{Brokers: b.Addrs(), DB: db})
	if lag, err := again.Lag(t.Context()); lag != 0 || err != nil {
		t.Errorf("Lag after the stop = %d, %v; want 0", lag, err)
	}
}

func TestFlush(t *testing.T) {
	b, c := brokers(t)
	db := open(t, address(t))
	var read polled
	s, _ := running(t, Config{Brokers: b.Addrs(), DB: db, Linger: time.Hour, Client: []kgo.Opt{kgo.WithHooks(&read)}})
	produce(t, c, sample(10)...)
	for read.n.Load() < 10 && t.Context().Err() == nil {
		runtime.Gosched()
	}
	s.Flush()
	progressed(t, db, 10)
}

func TestUnreadableEventGoesToTheDeadLetters(t *testing.T) {
	b, c := brokers(t)
	db := open(t, address(t))
	produce(t, c, sample(10)...)
	for _, v := range []string{`{"lead":`, `{"lead":"x","step":"teleported"}`, ``} {
		if err := c.ProduceSync(t.Context(), &kgo.Record{Key: []byte("x"), Value: []byte(v)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	produce(t, c, sample(20)...)
	s, _ := running(t, Config{Brokers: b.Addrs(), DB: db, Linger: 20 * time.Millisecond})
	want(t, settled(t, s, db), 20)

	c.AddConsumeTopics(leadroute.Namespace("").Topic(leadroute.TopicDeadLetters))
	var got []string
	for len(got) < 3 {
		fs := c.PollFetches(t.Context())
		if err := fs.Err(); err != nil {
			t.Fatal(err)
		}
		fs.EachRecord(func(r *kgo.Record) {
			d, err := leadroute.Decode[leadroute.DeadLetter](r.Value)
			if err != nil || d.Kind != leadroute.DeadMessage || d.Stage != "sink" {
				t.Errorf("dead letter = %+v, %v; want a message of stage sink", d, err)
				return
			}
			got = append(got, string(d.Payload))
		})
	}
	if fmt.Sprint(got) != fmt.Sprint([]string{`{"lead":`, `{"lead":"x","step":"teleported"}`, ``}) {
		t.Errorf("dead letters = %q, want the three unreadable records in order", got)
	}
}

func TestSinksShareThePartitions(t *testing.T) {
	b, c := brokers(t)
	db := open(t, address(t))
	cfg := Config{Brokers: b.Addrs(), DB: db, Linger: 10 * time.Millisecond, MaxRows: 100}
	events := sample(6000)
	first, stopFirst := running(t, cfg)
	produce(t, c, events[:2000]...)
	want(t, settled(t, first, db), 2000)
	second, _ := running(t, cfg)
	produce(t, c, events[2000:4000]...)
	want(t, settled(t, second, db), 4000)
	stopFirst()
	produce(t, c, events[4000:]...)
	want(t, settled(t, second, db), 6000)
}

// TestExactlyOnceWhenClickHouseIsKilled kills the server in mid-insert, has commits fail
// now and then, and stops the sink before it has committed.
func TestExactlyOnceWhenClickHouseIsKilled(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	b, c := brokers(t)
	db := open(t, address(t))
	b.Cluster().ControlKey(int16(kmsg.OffsetCommit), func(req kmsg.Request) (kmsg.Response, error, bool) {
		b.Cluster().KeepControl()
		if rng.IntN(8) != 0 {
			return nil, nil, false
		}
		in := req.(*kmsg.OffsetCommitRequest)
		resp := in.ResponseKind().(*kmsg.OffsetCommitResponse)
		for _, rt := range in.Topics {
			st := kmsg.NewOffsetCommitResponseTopic()
			st.Topic, st.TopicID = rt.Topic, rt.TopicID
			for _, rp := range rt.Partitions {
				sp := kmsg.NewOffsetCommitResponseTopicPartition()
				sp.Partition, sp.ErrorCode = rp.Partition, kerr.CoordinatorNotAvailable.Code
				st.Partitions = append(st.Partitions, sp)
			}
			resp.Topics = append(resp.Topics, st)
		}
		return resp, nil, true
	})

	// Small batches, so that there are many inserts to die in.
	cfg := Config{
		Brokers: b.Addrs(), DB: db, Linger: 2 * time.Millisecond, MaxRows: 40, StopWithin: time.Millisecond,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	events := sample(6000)
	kills := 5
	for i := range kills {
		s, stop := running(t, cfg)
		part := events[i*len(events)/kills : (i+1)*len(events)/kills]
		produced := make(chan struct{})
		go func() {
			defer close(produced)
			produce(t, c, part...)
		}()
		progressed(t, db, uint64(i*len(events)/kills+1+rng.IntN(len(part)/2)))
		server.Kill()
		if i%2 == 0 {
			stop() // with inserts that cannot succeed and offsets not committed
			s = nil
		}
		if err := server.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		if s == nil {
			s, stop = running(t, cfg)
		}
		<-produced
		want(t, settled(t, s, db), (i+1)*len(events)/kills)
		stop()
	}
}

// progressed waits until the table holds at least n rows, copies included. The server may
// be away for a moment: the engine library does not survive the reset of a connection.
func progressed(t testing.TB, db *DB, n uint64) {
	t.Helper()
	var got uint64
	var err error
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		if err = db.conn.QueryRow(t.Context(), "SELECT count() FROM lead_events").Scan(&got); err == nil && got >= n {
			return
		}
	}
	t.Fatalf("%d rows (%v) after 30 s, want %d", got, err, n)
}

// processEnv makes the test binary a sink process; its value is the processConfig.
const processEnv = "SINK_TEST_PROCESS"

type processConfig struct {
	Brokers  []string
	Database string
}

// process runs a sink until it is killed.
func process() int {
	var p processConfig
	if err := json.Unmarshal([]byte(os.Getenv(processEnv)), &p); err != nil {
		fmt.Println(err)
		return 1
	}
	a, err := ParseAddress(p.Database)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	db, err := Open(context.Background(), a)
	for began := time.Now(); err != nil && time.Since(began) < 20*time.Second; { // the engine may be on its way back, see progressed
		db, err = Open(context.Background(), a)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	s, err := New(Config{Brokers: p.Brokers, DB: db, Linger: 2 * time.Millisecond, MaxRows: 40, Instance: "sink-0"})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(s.Run(context.Background()))
	return 1
}

func TestExactlyOnceWhenTheSinkIsKilled(t *testing.T) {
	b, c := brokers(t)
	a := address(t)
	db := open(t, a)
	events := sample(9000)
	produced := make(chan struct{})
	go func() {
		defer close(produced)
		for i := 0; i < len(events); i += 100 {
			produce(t, c, events[i:i+100]...)
		}
	}()
	p, err := json.Marshal(processConfig{Brokers: b.Addrs(), Database: a.String()})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), processEnv+"="+string(p))
		var out strings.Builder
		cmd.Stdout = &out
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill() }) // where the test ends before
		progressed(t, db, uint64(1+i*1500))
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		if out.Len() > 0 {
			t.Fatalf("the sink process said %s", out.String())
		}
	}
	<-produced
	s, _ := running(t, Config{Brokers: b.Addrs(), DB: db, Instance: "sink-0"})
	want(t, settled(t, s, db), len(events))
}
