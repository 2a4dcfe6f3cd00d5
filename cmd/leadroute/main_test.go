package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/leadroute/leadroute/internal/apiclient"
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
