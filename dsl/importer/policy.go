// Package importer turns what a team routes by today into a policy that validates: the
// assignment rules of a Salesforce org, or a territory sheet. What it cannot say in the
// language it writes down as a disabled rule with the original beside it, and reports;
// it never guesses.
package importer

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
)

// Result is an imported policy.
type Result struct {
	// Files are what to write, by path relative to the policy's folder: policy.hcl, and the
	// tables that it reads.
	Files map[string][]byte
	// Rules is how many rules (or rows) were imported, and Disabled how many of them need a
	// person, each with a note.
	Rules, Disabled int
	Notes           []string
}

func (r *Result) note(format string, args ...any) {
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// draft gathers the parts of a policy until all names are known.
type draft struct {
	fields map[string]string // lead field: type, in the words of a schema
	pools  []target          // in order of first use
	rules  strings.Builder
	names  map[string]map[string]bool // taken, by block type
	closed bool                       // some rule takes every lead
}

// target is a pool of the policy that stands for a user or a queue of before.
type target struct {
	name, comment, member string // member: the expression of members_where; empty: the rep of the same name
	email                 string
}

func newDraft() *draft {
	return &draft{fields: map[string]string{}, names: map[string]map[string]bool{}}
}

// field takes note of a lead field. A number that is compared as a text somewhere is a text.
func (d *draft) field(name, typ string) {
	if old, ok := d.fields[name]; ok && old != typ {
		typ = "string"
	}
	d.fields[name] = typ
}

// envelope fields need no declaration.
var envelope = strings.Fields("id source email email_domain first_name last_name name company phone title country tags score")

func (d *draft) schema() string {
	names := make([]string, 0, len(d.fields))
	for name := range d.fields {
		if !slices.Contains(envelope, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	var b strings.Builder
	b.WriteString("schema \"lead\" {\n")
	for _, name := range names {
		fmt.Fprintf(&b, "field %s {\ntype = %s\n}\n", quote(name), d.fields[name])
	}
	b.WriteString("}\n\n")
	return b.String()
}

// file puts the policy together, laid out as fmt would.
func (d *draft) file(name, description, middle string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "policy %s {\ndescription = %s\ntimezone = \"UTC\"\n}\n\n", quote(name), quote(description))
	b.WriteString(d.schema())
	b.WriteString("# Imported leads had no SLA: say here how fast each class of leads is served.\n")
	b.WriteString("priority \"P2\" {\ndeliver_within = \"30m\"\n}\n\n")
	for _, t := range d.pools {
		if t.email != "" {
			fmt.Fprintf(&b, "rep %s {\nemail = %s\n}\n\n", quote(t.name), quote(t.email))
		}
	}
	for _, t := range d.pools {
		if t.comment != "" {
			fmt.Fprintf(&b, "# %s\n", t.comment)
		}
		member := "members = [rep." + t.name + "]"
		if t.member != "" {
			member = "members_where = " + t.member
		}
		fmt.Fprintf(&b, "pool %s {\n%s\n}\n\n", quote(t.name), member)
	}
	b.WriteString("queue \"unrouted\" {\ndescription = \"Nobody of the rule's targets was free, or no rule took the lead\"\n}\n\n")
	b.WriteString(middle)
	b.WriteString(d.rules.String())
	if !d.closed {
		b.WriteString("rule \"rest\" {\nto = queue.unrouted\n}\n")
	}
	return hclwrite.Format([]byte(b.String()))
}

// unique makes a name of the language from any text, unlike those before of the same type.
func (d *draft) unique(typ, text string) string {
	if d.names[typ] == nil {
		d.names[typ] = map[string]bool{}
	}
	base := identifier(text)
	name := base
	for i := 2; d.names[typ][name]; i++ {
		name = fmt.Sprintf("%s_%d", base, i)
	}
	d.names[typ][name] = true
	return name
}

// identifier is a text as a name: lower case, letters, digits and _, at most 60 long.
func identifier(text string) string {
	var b strings.Builder
	lower := false
	for _, r := range text {
		switch {
		case r >= 'A' && r <= 'Z':
			if lower {
				b.WriteByte('_') // LeadSource is lead_source
			}
			b.WriteRune(unicode.ToLower(r))
			lower = false
			continue
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "_"):
			b.WriteByte('_')
		}
		lower = r >= 'a' && r <= 'z'
	}
	name := strings.Trim(b.String(), "_")
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "n_" + name
	}
	return strings.TrimRight(name[:min(len(name), 60)], "_")
}

// quote writes a text as the language does.
func quote(s string) string {
	return string(hclwrite.TokensForValue(cty.StringVal(s)).Bytes())
}

func quoteList(ss []string) string {
	q := make([]string, len(ss))
	for i, s := range ss {
		q[i] = quote(s)
	}
	return "[" + strings.Join(q, ", ") + "]"
}

// comment makes any text one comment, a line for each of its lines.
func comment(text string) string {
	return "# " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n# ") + "\n"
}
