package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/leadroute/leadroute"
)

// schemas keeps the compiled JSON Schema of the plan in force. The Checker's typed
// check is what decides, lead by lead; the schema, published for senders, only adds
// what else is wrong with a lead that is rejected anyway (BenchmarkSchema: why).
type schemas struct {
	mu     sync.Mutex
	plan   leadroute.PlanID
	schema *jsonschema.Schema // nil: it did not compile
}

func (s *schemas) of(chk Checker) *jsonschema.Schema {
	s.mu.Lock()
	defer s.mu.Unlock()
	if id := chk.PlanID(); s.plan != id || id == "" {
		s.plan = id
		s.schema, _ = compileSchema(chk.JSONSchema()) // without one the typed check's words stand alone
	}
	return s.schema
}

func compileSchema(doc []byte) (*jsonschema.Schema, error) {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err != nil {
		return nil, fmt.Errorf("read the JSON Schema: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(jsonschema.SchemeURLLoader{}) // nothing is fetched
	const url = "urn:leadroute:schema:lead"
	if err := c.AddResource(url, v); err != nil {
		return nil, fmt.Errorf("add the JSON Schema: %w", err)
	}
	return c.Compile(url)
}

// maxProblems bounds what one rejected lead's answer lists.
const maxProblems = 20

// explain appends what the JSON Schema finds wrong in members that problems do not name yet.
func (s *schemas) explain(problems []Problem, fields []byte, chk Checker) []Problem {
	schema := s.of(chk)
	if schema == nil {
		return problems
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(fields))
	if err != nil {
		return problems
	}
	var ve *jsonschema.ValidationError
	if !errors.As(schema.Validate(v), &ve) {
		return problems
	}
	named := map[string]bool{}
	for _, p := range problems {
		named[p.Pointer] = true
	}
	printer := message.NewPrinter(language.English)
	var walk func(*jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		for _, cause := range e.Causes {
			walk(cause)
		}
		if len(e.Causes) > 0 || len(problems) >= maxProblems {
			return
		}
		pointer := jsonPointer(e.InstanceLocation)
		if pointer != "" && !named[pointer] {
			named[pointer] = true
			problems = append(problems, Problem{
				Code: codeSchema, Pointer: pointer, Message: e.ErrorKind.LocalizedString(printer),
				Remedy: "GET /v1/schema shows what the member may hold",
			})
		}
	}
	walk(ve)
	return problems
}

func jsonPointer(path []string) string {
	var b strings.Builder
	for _, p := range path {
		b.WriteByte('/')
		b.WriteString(strings.NewReplacer("~", "~0", "/", "~1").Replace(p))
	}
	return b.String()
}

// getSchema serves the plan's JSON Schema.
func (g *Gateway) getSchema(_ http.ResponseWriter, _ *http.Request, _ leadroute.SourceID) answer {
	chk := g.cfg.Checker()
	if chk == nil {
		return refuse(errNoPolicy)
	}
	return answer{http.StatusOK, chk.JSONSchema()}
}
