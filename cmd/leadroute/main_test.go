package main

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/leadroute/leadroute/internal/apiclient"
	"github.com/leadroute/leadroute/internal/intake"
	"github.com/leadroute/leadroute/views"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"leadroute": main})
}

// Each script shows a command in use, on the examples of this repository, and on a router
// in memory ($API, $KEY, and as if it ran on the default data folder).
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			api, stop, err := newFakeAPI()
			if err != nil {
				return err
			}
			env.Defer(stop)
			run := fmt.Sprintf(`{"api":%q,"key":%q}`, api.URL, apiKey)
			data := filepath.Join(env.WorkDir, "data") // as a running router would leave it
			err = errors.Join(os.Mkdir(data, 0o700), os.WriteFile(filepath.Join(data, apiclient.RunFile), []byte(run), 0o600))
			env.Setenv(apiclient.DataEnv, data)
			env.Setenv("API", api.URL)
			env.Setenv("KEY", apiKey)
			return errors.Join(err, os.CopyFS(filepath.Join(env.WorkDir, "examples"), os.DirFS(filepath.Join("..", "..", "examples"))))
		},
	})
}

// A long file goes in parts, is checked as a whole before the first is written, and may
// come from standard input.
func TestLongImport(t *testing.T) {
	server, stop, err := newFakeAPI()
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	const rows = 2*maxImportRows + 7
	var csv strings.Builder
	csv.WriteString("domain,name,country\n")
	for i := range rows {
		fmt.Fprintf(&csv, "c%d.example.com,Company %d,US\n", i, i)
	}
	var out, talk bytes.Buffer
	opts := importOptions{API: &apiOptions{Addr: server.URL, Key: apiKey}, File: "-", In: strings.NewReader(csv.String() + "c3.example.com,Twice,US\n"), Out: &out, Err: &talk}
	err = importRows(t.Context(), opts, "/v1/accounts", "account", intake.Accounts())
	if want := fmt.Sprintf("standard input:%d:1: column \"domain\": account \"c3.example.com\" was there before, as record 4: keep one of the two\n", rows+2); err == nil ||
		!strings.HasSuffix(talk.String(), want) {
		t.Fatalf("import with a row twice = %v and %q, want %q", err, talk.String(), want)
	}
	api, err := opts.API.client()
	if err != nil {
		t.Fatal(err)
	}
	total := func() int {
		var all views.Ownership
		if err := api.Do(t.Context(), http.MethodGet, "/v1/accounts?limit=1", nil, &all); err != nil {
			t.Fatal(err)
		}
		return all.Total
	}
	if n := total(); n != 0 {
		t.Fatalf("an import with a fault in its last part wrote %d rows, want none", n)
	}
	opts.In = strings.NewReader(csv.String())
	if err := importRows(t.Context(), opts, "/v1/accounts", "account", intake.Accounts()); err != nil || out.String() != fmt.Sprintf("%d accounts imported\n", rows) {
		t.Fatalf("import = %v and %q, want %d accounts", err, out.String(), rows)
	}
	if n := total(); n != rows {
		t.Errorf("imported %d rows, want %d", n, rows)
	}
}
