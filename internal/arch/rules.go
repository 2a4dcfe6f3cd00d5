package arch

import "slices"

// Module is the import path that the patterns below are relative to.
const Module = "github.com/leadroute/leadroute"

// Rules is the way imports may go: root ← plan ← dsl; root, plan ← stages ← processors;
// root ← views, sink; everything ← cmd. A lead's way is along topics, never along imports,
// so a stage can be read, tested and replaced alone.
//
// A pattern is a path in the module: "." is the root package, "views/..." is views and all
// below it. A path whose first part has a dot in it ("github.com/...") is another module's.
var Rules = []Rule{
	{
		Of:   []string{"."},
		Only: []string{"github.com/goccy/go-json/..."},
		Why:  "the root holds the nouns that everybody imports: it knows the standard library and the JSON codec",
	},
	{
		Of:   []string{"dsl/plan"},
		Only: []string{".", "github.com/goccy/go-json/...", "golang.org/x/text/..."}, // strings compare after NFC
		Why:  "a plan is data and decisions: it knows the nouns, and nothing of HCL or Kafka",
	},
	{
		Of:   []string{"dsl/..."},
		Deny: append([]string{"processors/...", "views/...", "sink/...", "cmd/..."}, kafka...),
		Why:  "the language compiles to a plan, and knows nothing of who runs it",
	},
	{
		Of:    []string{"processors/..."},
		Apart: []string{"processors/stream", "processors/desk", "processors/ownership", "processors/company", "processors/internal/..."}, // not stages: the wiring, what stages share, tools
		Why:   "stages meet on topics, not through imports",
	},
	{
		Of:   []string{"processors/..."},
		Deny: append([]string{"dsl", "dsl/analyze/...", "views/...", "sink/...", "cmd/..."}, slices.Concat(hcl, scenery)...),
		Why:  "a processor runs a dsl/plan.Plan; views and the sink read what it writes",
	},
	{
		Of:   []string{"views/...", "sink/..."},
		Deny: append([]string{"dsl", "dsl/analyze/...", "cmd/..."}, slices.Concat(hcl, scenery)...),
		Why:  "readers know the tables and the events, not the language",
	},
	{
		Of:   []string{"views/..."},
		Deny: []string{"sink/..."},
		Why:  "live tables and history are read apart",
	},
	{
		Of:   []string{"sink/..."},
		Deny: []string{"views/..."},
		Why:  "live tables and history are read apart",
	},
	{
		Of:   []string{"internal/loadgen/...", "internal/crmsim/...", "internal/channelsim/...", "internal/audit/..."},
		Deny: []string{"processors/...", "views/...", "sink/...", "cmd/..."},
		Why:  "who judges the product must not share its code: truth comes from the sender, the CRM and the log",
	},
	{
		Of:   []string{"internal/..."},
		Deny: []string{"cmd/..."},
		Why:  "commands wire the rest and are wired by nobody",
	},
	{
		Of:   []string{"./..."},
		Deny: []string{"math/rand", "github.com/pkg/errors"},
		Near: true,
		Why:  "math/rand/v2 and errors have replaced them",
	},
}

var (
	hcl   = []string{"github.com/hashicorp/hcl/...", "github.com/zclconf/go-cty/..."}
	kafka = []string{"github.com/lovoo/goka/...", "github.com/IBM/sarama/...", "github.com/twmb/franz-go/..."}
	// what stands around the product when it is tried: engines, other people's systems, worlds
	scenery = []string{
		"internal/audit/...", "internal/channelsim/...", "internal/crmsim/...", "internal/embedded/...", "internal/kafkajvm/...", "internal/loadgen/...", "internal/sim/...",
	}
)
