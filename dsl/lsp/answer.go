package lsp

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/plan"
)

// view is what a request is answered from: the policy around the cursor.
type view struct {
	file         string
	src          []byte
	place        place
	declarations []dsl.Declaration
	fields       []plan.Field
}

func (s *server) view(p placeParams) (view, error) {
	file, err := fileOf(p.TextDocument.URI)
	if err != nil {
		return view{}, err
	}
	src := s.text(file)
	files, _ := s.load(file)
	policy, _ := s.parse(files)
	v := view{file: file, src: src, place: placeOf(src, offsetOf(src, p.Position)), declarations: policy.Declarations, fields: policy.Fields}
	if len(v.fields) == 0 {
		v.fields = plan.Envelope()
	}
	return v, nil
}

// roots are what a reference may begin with.
var roots = []string{"lead", "pool", "queue", "rep", "rule", "priority", "territory", "channel", "hours", "calendar", "table", "destination", "var", "local"}

func (s *server) completion(_ context.Context, p placeParams) (completionList, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.view(p)
	if err != nil {
		return completionList{}, err
	}
	list := completionList{Items: []completionItem{}}
	pl := v.place
	switch {
	case pl.comment || pl.quoted:
		return list, nil
	case strings.Contains(pl.word, "."):
		list.Items = s.references(v)
	case pl.attr != "":
		for _, name := range roots {
			list.Items = append(list.Items, completionItem{Label: name, Kind: kindModule})
		}
		for _, f := range s.language.Functions {
			list.Items = append(list.Items, completionItem{Label: f.Name, Kind: kindFunction, Detail: f.Usage, Documentation: text(f.Doc)})
		}
	default:
		list.Items = s.statements(pl.blocks)
	}
	for i := range list.Items {
		it := &list.Items[i]
		whole := it.Label
		if it.TextEdit != nil {
			whole = it.TextEdit.NewText
		}
		it.TextEdit = &edit{span{positionOf(v.src, pl.start), positionOf(v.src, pl.end)}, whole}
	}
	return list, nil
}

// statements are what may begin a line within the blocks.
func (s *server) statements(blocks []string) []completionItem {
	items := []completionItem{}
	nested := s.language.Blocks
	if len(blocks) > 0 {
		b, ok := s.describe(blocks)
		if !ok {
			return items
		}
		nested = b.Blocks
		for _, a := range b.Attributes {
			items = append(items, completionItem{
				Label: a.Name, Kind: kindProperty, Detail: a.Type, Documentation: text(a.Doc),
				TextEdit: &edit{NewText: a.Name + " = "},
			})
		}
	}
	for _, b := range nested {
		snippet := b.Name + " {\n  $0\n}"
		if b.Named {
			snippet = b.Name + " \"${1:name}\" {\n  $0\n}"
		}
		items = append(items, completionItem{
			Label: b.Name, Kind: kindKeyword, Documentation: text(b.Doc), InsertTextFormat: 2, TextEdit: &edit{NewText: snippet},
		})
	}
	return items
}

// references are the whole names that the word may grow into.
func (s *server) references(v view) []completionItem {
	items := []completionItem{}
	add := func(label string, kind int, detail, doc string) {
		if strings.HasPrefix(label, v.place.word) {
			items = append(items, completionItem{Label: label, Kind: kind, Detail: detail, Documentation: text(doc)})
		}
	}
	switch head := root(v.place.word); head {
	case "lead":
		for _, f := range v.fields {
			add("lead."+f.Name, kindField, f.Type, fieldDoc(f, s.language))
		}
		add("lead.priority", kindField, "priority", "The class that was decided.")
		add("lead.territory", kindField, "territory", "The territory that was decided.")
	case "rep":
		if v.place.attr == "members_where" || v.place.attr == "weight_by" || v.place.attr == "require" || v.place.attr == "prefer" {
			for _, f := range s.language.RepFields {
				add("rep."+f.Name, kindField, f.Type, f.Doc)
			}
			break
		}
		fallthrough
	default:
		for _, d := range v.declarations {
			if d.Type == head && head != "lead" {
				add(d.Type+"."+d.Name, kindReference, "", d.Description)
			}
		}
		if head == "territory" {
			add("territory.of_lead.pool", kindReference, "", "The pool of the lead's territory.")
		}
		if parts := strings.Split(v.place.word, "."); head == "pool" && len(parts) == 3 {
			add("pool."+parts[1]+".available", kindValue, "number", "How many of its reps are free, as far as the live view knows.")
		}
	}
	return items
}

func fieldDoc(f plan.Field, l dsl.Language) string {
	doc := f.Description
	if doc == "" {
		for _, d := range l.Fields {
			if d.Name == f.Name {
				doc = d.Doc
			}
		}
	}
	if len(f.Values) > 0 {
		doc = strings.TrimSpace(doc + "\n\nValues: " + strings.Join(f.Values, ", "))
	}
	switch {
	case f.Min != nil && f.Max != nil:
		doc += fmt.Sprintf("\n\nFrom %s to %s.", plan.FormatNumber(*f.Min), plan.FormatNumber(*f.Max))
	case f.Min != nil:
		doc += fmt.Sprintf("\n\nAt least %s.", plan.FormatNumber(*f.Min))
	case f.Max != nil:
		doc += fmt.Sprintf("\n\nAt most %s.", plan.FormatNumber(*f.Max))
	}
	if f.PII {
		doc += "\n\nPersonal data."
	}
	return strings.TrimSpace(doc)
}

func text(s string) *markup {
	if s == "" {
		return nil
	}
	return &markup{"markdown", s}
}

func (s *server) hover(_ context.Context, p placeParams) (*hover, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.view(p)
	if err != nil || v.place.whole == "" || v.place.comment || v.place.quoted {
		return nil, err
	}
	title, doc := s.about(v)
	if title == "" {
		return nil, nil
	}
	return &hover{
		Contents: markup{"markdown", strings.TrimSpace("**" + title + "**\n\n" + doc)},
		Range:    &span{positionOf(v.src, v.place.start), positionOf(v.src, v.place.end)},
	}, nil
}

// about describes the word under the cursor.
func (s *server) about(v view) (title, doc string) {
	word := v.place.whole
	if name, ok := strings.CutPrefix(word, "lead."); ok {
		i := slices.IndexFunc(v.fields, func(f plan.Field) bool { return f.Name == name })
		if i < 0 {
			return "", ""
		}
		return word + ": " + v.fields[i].Type, fieldDoc(v.fields[i], s.language)
	}
	if d, ok := declared(v, word); ok {
		return d.Type + " \"" + d.Name + "\"", d.Description
	}
	for _, f := range s.language.Functions {
		if f.Name == word && v.place.attr != "" {
			return f.Usage, f.Doc
		}
	}
	if v.place.attr != "" {
		return "", ""
	}
	if b, ok := s.describe(v.place.blocks); ok {
		for _, a := range b.Attributes {
			if a.Name == word {
				return word + ": " + a.Type, a.Doc
			}
		}
	}
	if b, ok := s.describe(append(slices.Clone(v.place.blocks), word)); ok {
		return word, b.Doc
	}
	return "", ""
}

// declared finds what the first two parts of a reference lead to; a lead's field may have more.
func declared(v view, word string) (dsl.Declaration, bool) {
	parts := strings.SplitN(word, ".", 3)
	if len(parts) < 2 {
		return dsl.Declaration{}, false
	}
	for _, d := range v.declarations {
		if d.Type == parts[0] && (d.Name == parts[1] || d.Type == "lead" && d.Name == strings.TrimPrefix(word, "lead.")) {
			return d, true
		}
	}
	return dsl.Declaration{}, false
}

func (s *server) definition(_ context.Context, p placeParams) (*location, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.view(p)
	if err != nil {
		return nil, err
	}
	d, ok := declared(v, v.place.whole)
	if !ok {
		return nil, nil
	}
	src := s.text(d.File)
	line := d.Line - 1
	return &location{uriOf(d.File), span{position{line, column(src, d.Line, d.Column)}, position{line, column(src, d.Line, d.EndColumn)}}}, nil
}
