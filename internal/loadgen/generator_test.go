package loadgen

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/leadroute/leadroute"
)

func testOptions(n int) Options {
	reps := Reps(1, 60, ThreeRegions)
	return Options{
		Seed: 7, Leads: n,
		DuplicateRate: 0.1, MalformedRate: 0.05, WrongTypeRate: 0.02,
		FreeMailRate: 0.2, KnownAccountRate: 0.3,
		Accounts: Accounts(1, 200, reps),
	}
}

func newTest(t testing.TB, o Options) *Generator {
	t.Helper()
	g, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// The digest pins the bytes: a change here changes every recorded run's meaning.
func TestSameSeedSameBytes(t *testing.T) {
	sum := func(o Options) string {
		h := sha256.New()
		for it := range newTest(t, o).All() {
			h.Write(it.Body)
			h.Write([]byte{'\n'})
		}
		return hex.EncodeToString(h.Sum(nil))[:16]
	}
	o := testOptions(5000)
	a, b := sum(o), sum(o)
	if a != b {
		t.Errorf("digest of seed %d = %s, then %s", o.Seed, a, b)
	}
	if want := "9f9e4bfd976db8f1"; a != want {
		t.Errorf("digest of seed %d = %s, want %s", o.Seed, a, want)
	}
	o.Seed++
	if c := sum(o); c == a {
		t.Errorf("seeds %d and %d make the same leads", o.Seed-1, o.Seed)
	}
}

func TestItemDependsOnIndexAlone(t *testing.T) {
	g := newTest(t, testOptions(300))
	all := slices.Collect(g.All())
	var buf []byte
	for i, want := range slices.Backward(all) {
		it := g.Item(i, buf)
		if !bytes.Equal(it.Body, want.Body) {
			t.Fatalf("Item(%d) = %s, in order it was %s", i, it.Body, want.Body)
		}
		buf = it.Body
	}
}

func TestLabelsAreTrue(t *testing.T) {
	const n = 20_000
	o := testOptions(n)
	g := newTest(t, o)
	seen := make(map[string]int) // person to the index of the first valid lead
	counts := make(map[Label]int)
	flaws := make(map[Flaw]int)
	var respelled, adjacent, free, known, big, noRegion int
	for it := range g.All() {
		counts[it.Label]++
		flaws[it.Flaw]++
		var lead map[string]any
		err := json.Unmarshal(it.Body, &lead)
		if (err != nil) != (it.Flaw == FlawTruncated) {
			t.Fatalf("lead %d (%s %s): decode error %v: %s", it.Index, it.Label, it.Flaw, err, it.Body)
		}
		broken := sampleSchema(lead)
		if (broken != "") != (it.Flaw != "") {
			t.Fatalf("lead %d (%s %s): the schema says %q: %s", it.Index, it.Label, it.Flaw, broken, it.Body)
		}
		if it.Flaw != "" {
			continue
		}
		email, _ := lead["email"].(string)
		truth := g.Truth(it.Index)
		if Normalise(email) != truth.Person {
			t.Fatalf("lead %d: e-mail %q, the truth says %q", it.Index, email, truth.Person)
		}
		first, again := seen[truth.Person]
		if again != (it.Label == Duplicate) || again && first != it.Original {
			t.Fatalf("lead %d (%s of %d): person seen before: %v (at %d)", it.Index, it.Label, it.Original, again, first)
		}
		if again {
			if email != truth.Person {
				respelled++
			}
			if it.Index-it.Original < 5 {
				adjacent++
			}
			continue
		}
		seen[truth.Person] = it.Index
		if i, ok := g.Find(" " + strings.ToUpper(email)); !ok || i != it.Index {
			t.Fatalf("Find(%q) = %d, %v, want %d", email, i, ok, it.Index)
		}
		size, _ := lead["company_size"].(float64)
		arr, _ := lead["arr"].(float64)
		if want := size > 500 && arr > 100_000; truth.Big != want {
			t.Fatalf("lead %d: Big = %v with %v people and %v a year", it.Index, truth.Big, size, arr)
		}
		if region, _ := lead["region"].(string); region != truth.Region {
			t.Fatalf("lead %d: region %q, the truth says %q", it.Index, region, truth.Region)
		}
		if truth.Region == "" {
			noRegion++
		}
		if truth.Big {
			big++
		}
		if slices.Contains(freeMail, truth.Domain) {
			free++
		}
		if truth.Owner != "" {
			known++
		}
	}
	near := func(what string, got, of int, rate float64) {
		t.Helper()
		if share := float64(got) / float64(of); share < rate*0.85 || share > rate*1.15 {
			t.Errorf("%s: %d of %d = %.3f, want about %.3f (seed %d)", what, got, of, share, rate, o.Seed)
		}
	}
	near("duplicates", counts[Duplicate], n, o.DuplicateRate)
	near("malformed", counts[Malformed], n, o.MalformedRate)
	near("wrong type", counts[WrongType], n, o.WrongTypeRate)
	near("free mail", free, len(seen), o.FreeMailRate)
	near("owned accounts", known, len(seen), o.KnownAccountRate*0.9)
	near("respelled", respelled, counts[Duplicate], 0.8)
	near("without region", noRegion, len(seen), 0.05)
	for _, f := range []Flaw{FlawTruncated, FlawNoScore, FlawUnknownValue, FlawOutOfRange} {
		near(string(f), flaws[f], counts[Malformed], 0.25)
	}
	if adjacent < counts[Duplicate]/4 {
		t.Errorf("%d of %d duplicates follow at once, want a quarter or more", adjacent, counts[Duplicate])
	}
	if big < len(seen)/20 || big > len(seen)/4 {
		t.Errorf("%d of %d people are big, want 5 to 25 %%", big, len(seen))
	}
}

// sampleSchema is the schema block of the sample policies, by hand; it returns the
// field that breaks it.
func sampleSchema(lead map[string]any) string {
	if lead == nil {
		return "json"
	}
	for _, e := range []struct {
		name   string
		values []string
	}{{"region", []string{"NA", "EMEA", "APAC", "LATAM"}}, {"intent", intents}, {"product", products}} {
		if v, ok := lead[e.name]; ok {
			if s, isString := v.(string); !isString || !slices.Contains(e.values, s) {
				return e.name
			}
		}
	}
	for _, r := range []struct {
		name     string
		min, max float64
		required bool
	}{{"company_size", 1, 1e9, false}, {"arr", 0, 1e12, false}, {"score", 0, 100, true}} {
		v, ok := lead[r.name]
		if !ok && !r.required {
			continue
		}
		if n, isNumber := v.(float64); !isNumber || n < r.min || n > r.max {
			return r.name
		}
	}
	return ""
}

func TestFindKnowsNoStranger(t *testing.T) {
	g := newTest(t, testOptions(100))
	for _, email := range []string{"", "ana@example.com", "ana.smith.zzzz@example.com", "ana.smith.0@example.com", "no-address"} {
		if i, ok := g.Find(email); ok {
			t.Errorf("Find(%q) = %d, true, want no such person", email, i)
		}
	}
}

func TestStamp(t *testing.T) {
	g := newTest(t, Options{Seed: 3, Leads: 1})
	it := g.Item(0, nil)
	n := len(it.Body)
	at := time.Date(2026, 3, 4, 5, 6, 7, 89_000_000, time.FixedZone("", 3600))
	it.Stamp(at)
	var lead struct {
		At time.Time `json:"emitted_at"`
	}
	if err := json.Unmarshal(it.Body, &lead); err != nil || !lead.At.Equal(at) || len(it.Body) != n {
		t.Errorf("after Stamp(%v): emitted_at %v, error %v, %d bytes (before %d)", at, lead.At, err, len(it.Body), n)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, o := range map[string]Options{
		"negative rate":    {DuplicateRate: -0.1},
		"rate above one":   {FreeMailRate: 1.1},
		"rates sum":        {DuplicateRate: 0.6, MalformedRate: 0.6},
		"negative leads":   {Leads: -1},
		"no accounts":      {KnownAccountRate: 0.1},
		"domain rates sum": {FreeMailRate: 0.6, KnownAccountRate: 0.6, Accounts: []leadroute.Account{{Domain: "a.example"}}},
	} {
		if _, err := New(o); err == nil {
			t.Errorf("%s: New(%+v) gave no error", name, o)
		}
	}
}

func TestRepsAndAccounts(t *testing.T) {
	reps := Reps(1, 60, ThreeRegions)
	ids, regions, enterprise := make(map[leadroute.RepID]bool), make(map[string]int), make(map[string]int)
	for _, r := range reps {
		ids[r.ID] = true
		regions[r.Region]++
		if r.Team == TeamEnterprise {
			enterprise[r.Region]++
		}
		if r.Caps.Open < 30 || r.Caps.Open > 50 || r.Weight < 1 || r.Weight > 3 || r.CRMID == string(r.ID) {
			t.Errorf("rep %+v: caps, weight or CRM id are off", r)
		}
	}
	if len(ids) != 60 || regions["NA"] != 30 || regions["EMEA"] != 20 || regions["APAC"] != 10 {
		t.Errorf("60 reps: %d ids, regions %v", len(ids), regions)
	}
	for region := range regions {
		if enterprise[region] == 0 {
			t.Errorf("nobody in %s is on the enterprise team", region)
		}
	}
	domains := make(map[string]bool)
	for _, a := range Accounts(1, 500, reps) {
		domains[a.Domain] = true
		if a.Owner != "" && !ids[a.Owner] {
			t.Errorf("account %s is owned by %q, who is not a rep", a.Domain, a.Owner)
		}
	}
	if len(domains) != 500 {
		t.Errorf("500 accounts have %d domains", len(domains))
	}
}

func TestJudge(t *testing.T) {
	reps := []leadroute.Rep{
		{ID: "ana", Team: TeamEnterprise, Region: "NA"},
		{ID: "ben", Team: TeamAE, Region: "NA"},
		{ID: "chloe", Team: TeamAE, Region: "EMEA"},
		{ID: "dario", Team: TeamEnterprise, Region: "EMEA"},
	}
	j := NewJudge(reps)
	for _, c := range []struct {
		truth Truth
		want  string // who may
	}{
		{Truth{Region: "EMEA"}, "chloe"},
		{Truth{Region: "NA"}, "ben"},
		{Truth{Region: "LATAM"}, "ben"},
		{Truth{}, "ben"},
		{Truth{Region: "APAC"}, ""},
		{Truth{Region: "EMEA", Big: true}, "ana chloe dario"},
		{Truth{Region: "NA", Owner: "chloe"}, "ben chloe"},
		{Truth{Region: "EMEA", Owner: "dario", Big: true}, "chloe dario"},
	} {
		var got []string
		for _, id := range []leadroute.RepID{"ana", "ben", "chloe", "dario", "nobody", ""} {
			if j.Allows(c.truth, id) {
				got = append(got, string(id))
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%+v may be owned by %q, want %q", c.truth, s, c.want)
		}
	}
}
