// Package lsp is a language server for policies: findings while one types, completion of
// blocks, attributes, references and fields, hover, go to definition, and formatting. It
// speaks the Language Server Protocol 3.17 over a stream.
package lsp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/apparentlymart/go-textseg/v15/textseg"
	"github.com/creachadair/jrpc2"
	"github.com/creachadair/jrpc2/channel"
	"github.com/creachadair/jrpc2/handler"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/analyze"
)

// Serve answers an editor on the stream until it says exit, closes the stream, or ctx ends.
func Serve(ctx context.Context, in io.Reader, out io.WriteCloser) error {
	s := &server{docs: map[string]*document{}, told: map[string]bool{}, language: dsl.Describe(), exit: make(chan struct{})}
	srv := jrpc2.NewServer(s.methods(), &jrpc2.ServerOptions{AllowPush: true, Concurrency: 1})
	srv.Start(channel.LSP(in, out))
	ended := make(chan error, 1)
	go func() { ended <- srv.Wait() }()
	select {
	case err := <-ended:
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	case <-ctx.Done():
	case <-s.exit:
	}
	// A read from the editor may be under way, and nothing ends it but the editor.
	return nil
}

// server holds the open documents. Requests are handled one at a time.
type server struct {
	mu       sync.Mutex
	docs     map[string]*document // by file
	told     map[string]bool      // files that have findings on show
	language dsl.Language
	once     sync.Once
	exit     chan struct{}
}

type document struct {
	uri     string
	version int
	text    []byte
}

func (s *server) methods() handler.Map {
	none := func(context.Context) error { return nil }
	return handler.Map{
		"initialize":                       handler.New(s.initialize),
		"initialized":                      ignore,
		"shutdown":                         handler.New(none),
		"exit":                             handler.New(func(context.Context) error { s.once.Do(func() { close(s.exit) }); return nil }),
		"$/cancelRequest":                  ignore,
		"$/setTrace":                       ignore,
		"workspace/didChangeConfiguration": ignore,
		"workspace/didChangeWatchedFiles":  ignore,
		"textDocument/didOpen":             handler.New(s.open),
		"textDocument/didChange":           handler.New(s.change),
		"textDocument/didSave":             ignore,
		"textDocument/didClose":            handler.New(s.close),
		"textDocument/completion":          handler.New(s.completion),
		"textDocument/hover":               handler.New(s.hover),
		"textDocument/definition":          handler.New(s.definition),
		"textDocument/formatting":          handler.New(s.formatting),
	}
}

// ignore takes a notification whose content says nothing to this server.
func ignore(context.Context, *jrpc2.Request) (any, error) { return nil, nil }

func (s *server) initialize(context.Context, json.RawMessage) (any, error) {
	return map[string]any{
		"capabilities": map[string]any{
			"textDocumentSync":           map[string]any{"openClose": true, "change": 1}, // whole texts
			"completionProvider":         map[string]any{"triggerCharacters": []string{"."}},
			"hoverProvider":              true,
			"definitionProvider":         true,
			"documentFormattingProvider": true,
		},
		"serverInfo": map[string]any{"name": "leadroute"},
	}, nil
}

func (s *server) open(ctx context.Context, p openParams) error {
	return s.set(ctx, p.TextDocument.URI, p.TextDocument.Version, p.TextDocument.Text)
}

func (s *server) change(ctx context.Context, p changeParams) error {
	if len(p.ContentChanges) == 0 {
		return nil
	}
	return s.set(ctx, p.TextDocument.URI, p.TextDocument.Version, p.ContentChanges[len(p.ContentChanges)-1].Text)
}

func (s *server) set(ctx context.Context, uri string, version int, text string) error {
	file, err := fileOf(uri)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.docs[file] = &document{uri, version, []byte(text)}
	return s.publish(ctx, file)
}

func (s *server) close(ctx context.Context, p openParams) error {
	file, err := fileOf(p.TextDocument.URI)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.docs, file)
	return s.tell(ctx, file, nil)
}

// publish checks the policy that the file belongs to and tells the findings of its files.
func (s *server) publish(ctx context.Context, file string) error {
	policy, diags := s.load(file)
	found := map[string][]diagnostic{file: {}}
	for name := range policy {
		if s.told[name] {
			found[name] = []diagnostic{}
		}
	}
	for _, d := range diags {
		where := d.File
		if where == "" {
			where = file
		}
		found[where] = append(found[where], diagnosticOf(policy[where], d))
	}
	for name, list := range found {
		if err := s.tell(ctx, name, list); err != nil {
			return err
		}
	}
	return nil
}

func (s *server) tell(ctx context.Context, file string, list []diagnostic) error {
	if list == nil {
		list = []diagnostic{}
	}
	s.told[file] = len(list) > 0
	p := publishParams{URI: uriOf(file), Diagnostics: list}
	if d := s.docs[file]; d != nil {
		p.URI, p.Version = d.uri, d.version
	}
	return jrpc2.ServerFromContext(ctx).Notify(ctx, "textDocument/publishDiagnostics", p)
}

func diagnosticOf(src []byte, d dsl.Diagnostic) diagnostic {
	severity := 1
	if d.Severity == dsl.SeverityWarning {
		severity = 2
	}
	end := position{d.EndLine - 1, column(src, d.EndLine, d.EndColumn)}
	if d.EndLine == 0 {
		end = position{}
	}
	return diagnostic{
		Range:    span{position{max(d.Line-1, 0), column(src, d.Line, d.Column)}, end},
		Severity: severity, Code: d.ID, Source: "leadroute", Message: d.Summary + "\n" + d.Detail,
	}
}

// column turns HCL's column, grapheme clusters from 1, into UTF-16 units from 0.
func column(src []byte, line, col int) int {
	rest := src
	for ; line > 1; line-- {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			return 0
		}
		rest = rest[i+1:]
	}
	at := 0
	for ; col > 1 && at < len(rest); col-- {
		n, _, err := textseg.ScanGraphemeClusters(rest[at:], true)
		if err != nil || n == 0 {
			break
		}
		at += n
	}
	return positionOf(rest[:at], at).Character
}

// load reads the policy that a file belongs to: all of its folder's *.hcl files, or the
// file alone where the folder holds several policies. What is open counts as it is open.
func (s *server) load(file string) (map[string][]byte, dsl.Diagnostics) {
	files := map[string][]byte{file: s.text(file)}
	names, _ := filepath.Glob(filepath.Join(filepath.Dir(file), "*.hcl"))
	policies := 0
	for _, name := range names {
		files[name] = s.text(name)
		if bytes.HasPrefix(files[name], []byte("policy ")) || bytes.Contains(files[name], []byte("\npolicy ")) {
			policies++
		}
	}
	if policies > 1 {
		files = map[string][]byte{file: files[file]}
	}
	policy, diags := s.parse(files)
	return files, append(diags, analyze.Run(policy, analyze.Options{}).Diagnostics...)
}

func (s *server) parse(files map[string][]byte) (*dsl.Policy, dsl.Diagnostics) {
	return dsl.ParseOpen(files)
}

// text is a file as it is open, else as it is stored.
func (s *server) text(file string) []byte {
	if d := s.docs[file]; d != nil {
		return d.text
	}
	src, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	return src
}

func (s *server) formatting(_ context.Context, p openParams) ([]edit, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	file, err := fileOf(p.TextDocument.URI)
	if err != nil {
		return nil, err
	}
	src := s.text(file)
	formatted := hclwrite.Format(src)
	if bytes.Equal(src, formatted) {
		return []edit{}, nil
	}
	return []edit{{span{position{}, positionOf(src, len(src))}, string(formatted)}}, nil
}

func fileOf(uri string) (string, error) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "file" {
		return "", errors.New("only files can be checked: " + uri)
	}
	return filepath.FromSlash(u.Path), nil
}

func uriOf(file string) string {
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(file)}).String()
}

// describe finds the description of nested blocks by their types.
func (s *server) describe(path []string) (dsl.BlockDoc, bool) {
	blocks := s.language.Blocks
	var found dsl.BlockDoc
	for _, name := range path {
		ok := false
		for _, b := range blocks {
			if b.Name == name {
				found, blocks, ok = b, b.Blocks, true
				break
			}
		}
		if !ok {
			return dsl.BlockDoc{}, false
		}
	}
	return found, len(path) > 0
}

// root is the first part of a dotted name.
func root(word string) string {
	head, _, _ := strings.Cut(word, ".")
	return head
}
