package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/apiclient"
	"github.com/leadroute/leadroute/internal/crmsim"
)

// Everything that people and systems get wrong has a clear answer, changes nothing, and loses
// no lead: one is posted after each mistake, and all are delivered.
func TestWrongInput(t *testing.T) {
	w := newWorld(t, 1, crmsim.Faults{})
	p := w.process("a")
	policy := strings.Replace(feedsPolicy, `has(rep.id)`, `rep.team == "ae"`, 1)
	p.args[1] = p.file(policy)
	p.launch()
	at := p.where()
	api, err := apiclient.New(at.API, apiKey)
	if err != nil {
		t.Fatal(err)
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(at.Brokers...), kgo.RecordPartitioner(kgo.StickyKeyPartitioner(nil)))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()

	var leads []string
	post := func(fields map[string]any) string {
		t.Helper()
		fields["email"] = fmt.Sprintf("person%d@example.org", len(leads))
		var v struct {
			ID string `json:"id"`
		}
		if err := api.Do(t.Context(), http.MethodPost, "/v1/leads", fields, &v); err != nil {
			t.Fatal(err)
		}
		leads = append(leads, v.ID)
		return v.ID
	}
	get := func(path string) string {
		t.Helper()
		var v json.RawMessage
		if err := api.Do(t.Context(), http.MethodGet, path, nil, &v); err != nil {
			return err.Error()
		}
		return string(v)
	}
	stepped := func(lead, step string) {
		t.Helper()
		w.until("the lead is "+step, func() bool { return strings.Contains(get("/v1/leads/"+lead), `"step":"`+step+`"`) })
	}
	// says runs a command that must fail, and say all of that.
	says := func(want []string, args ...string) {
		t.Helper()
		err := p.leadroute(args...)
		for _, s := range want {
			if err == nil || !strings.Contains(err.Error(), s) {
				t.Errorf("leadroute %s: %v, want %q", strings.Join(args, " "), err, s)
			}
		}
		post(map[string]any{"score": 1})
	}
	file := func(name, text string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	if err := p.leadroute("reps", "import", file("reps.csv", "id,email,team,open\nana,ana@example.com,ae,50\nben,ben@example.com,ae,50\n")); err != nil {
		t.Fatal(err)
	}

	// An unknown rep: by name, in a file, in an event.
	says([]string{`no rep "nobody"`}, "reps", "set", "nobody", "--status", "away")
	event := func(value string, at time.Time) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if err := cl.ProduceSync(ctx, &kgo.Record{Topic: w.namespace.Topic(leadroute.TopicRepEvents), Value: []byte(value), Timestamp: at}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	refused := func(why string) {
		t.Helper()
		w.until("the event is a dead letter with a reason", func() bool {
			out, err := p.command("dead-letters", "list", "--kind", "message", "--json")
			return err == nil && strings.Contains(string(out), why)
		})
	}
	event(`{"rep":"nobody","status":"away"}`, time.Now())
	refused(`there is no rep \"nobody\"`)

	// Shifts that overlap, caps below zero.
	says([]string{"overlaps with another shift of mon"}, "reps", "set", "ana", "--shifts", "mon 09:00-12:00; mon 11:00-13:00")
	says([]string{"is negative", "set the status to off"}, "reps", "set", "ana", "--open", "-1")
	bad := file("bad.csv", "id,open,shifts\nana,-1,\nben,5,mon 09:00-12:00; mon 11:00-13:00\n")
	says([]string{`bad.csv:2:`, `-1 is negative`, `bad.csv:3:`, `overlaps`}, "reps", "import", bad)
	if board := get("/v1/reps"); strings.Count(board, `"cap":50`) != 2 || strings.Contains(board, "shifts") {
		t.Errorf("after what was refused the board is %s, want both reps as they were", board)
	}

	// A rep in no pool is told so, and can be had by name.
	if err := p.leadroute("reps", "import", file("eve.csv", "id,email,team\neve,eve@example.com,support\n")); err != nil {
		t.Fatal(err)
	}
	w.until("the board knows her", func() bool { return strings.Contains(get("/v1/reps"), `"eve"`) })
	if out, err := p.command("reps", "list", "--json"); err != nil || !strings.Contains(string(out), "is in no pool, and gets leads by name alone") {
		t.Errorf("reps list: %v\n%s\nwant that eve is in no pool", err, out)
	}
	post(map[string]any{"score": 1})

	// A calendar that does not parse.
	folder := t.TempDir()
	for name, text := range map[string]string{
		"policy.hcl": policy + "\ncalendar \"off\" {\n  source = \"off.ics\"\n}\n", "off.ics": "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:2026-13-45\nEND:VEVENT\n",
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "leadroute"), "validate", folder).CombinedOutput()
	if said := string(out); err == nil || !strings.Contains(said, "off.ics") || !strings.Contains(said, "2026-13-45") {
		t.Errorf("validate: %v\n%s\nwant the file and the day", err, said)
	}

	// A response for a lead that has moved on, and for one that is none.
	lead := leads[0]
	stepped(lead, "delivered")
	var trail struct {
		State struct {
			Owner string `json:"owner"`
		} `json:"state"`
	}
	if err := json.Unmarshal([]byte(get("/v1/leads/"+lead)), &trail); err != nil {
		t.Fatal(err)
	}
	owner := trail.State.Owner
	other := map[string]string{"ana": "ben", "ben": "ana"}[owner]
	respond := func(lead, rep string) error {
		return api.Do(t.Context(), http.MethodPost, "/v1/leads/"+lead+"/respond", map[string]any{"rep": rep, "action": "responded"}, nil)
	}
	if err := respond(lead, other); err == nil || !strings.Contains(err.Error(), owner+" has it now") {
		t.Errorf("a response of %s: %v, want that %s has it", other, err, owner)
	}
	if err := respond("none", "ana"); err == nil || !strings.Contains(err.Error(), `no lead of this id is known`) {
		t.Errorf("a response for no lead: %v, want that it is said", err)
	}
	if err := respond(lead, owner); err != nil {
		t.Errorf("the owner's response: %v, want that it stands", err)
	}

	// Clocks that are wrong: a record that is as far ahead as Kafka lets it be, one from 1970, statuses and leads ahead of their time.
	event(`{"rep":"ana","status":"busy"}`, time.Now().Add(50*time.Minute))
	event(`{"rep":"ben","status":"busy"}`, time.Unix(1, 0))
	busy := func(rep, status string) {
		t.Helper()
		w.until(rep+" is "+status, func() bool {
			return strings.Contains(get("/v1/reps"), `"id":"`+rep+`","team":"ae","status":"`+status+`"`)
		})
	}
	busy("ana", "busy")
	busy("ben", "busy")
	event(`{"rep":"ana","status":"available","at":"2031-01-01T00:00:00Z"}`, time.Now())
	refused("lies more than 24h0m0s in the future")
	ahead := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	event(`{"rep":"ana","status":"available","at":"`+ahead+`"}`, time.Now())
	busy("ana", "available")
	if err := p.leadroute("reps", "set", "ana", "--status", "busy"); err != nil {
		t.Fatal(err)
	}
	busy("ana", "busy") // the clock that was an hour ahead does not silence the others
	err = api.Do(t.Context(), http.MethodPost, "/v1/leads", map[string]any{"email": "soon@example.org", "score": 1, "emitted_at": "2040-01-01T00:00:00Z"}, nil)
	if err == nil || !strings.Contains(err.Error(), "in the future (at /emitted_at): set the sender's clock") {
		t.Errorf("a lead of next decade: %v, want that it is refused", err)
	}
	late := post(map[string]any{"score": 1, "emitted_at": ahead})
	event(`{"rep":"ana","status":"available"}`, time.Now().Add(-time.Hour)) // said before
	event(`{"rep":"ben","status":"available"}`, time.Now())
	busy("ben", "available")
	busy("ana", "busy")
	stepped(late, "delivered")

	for _, lead := range leads {
		stepped(lead, "delivered")
	}
	t.Logf("%d leads, all delivered", len(leads))
}
