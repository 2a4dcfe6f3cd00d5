package main

import (
	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute/internal/apiclient"
)

// apiOptions say which running process a command talks to.
type apiOptions struct {
	Data string // its data folder
	Addr string // its API, instead
	Key  string
}

// bind adds the flags to a command and those below it.
func (o *apiOptions) bind(cmd *cobra.Command) {
	f := cmd.PersistentFlags()
	f.StringVar(&o.Data, "data", "", "data folder of the running leadroute (default $"+apiclient.DataEnv+", else "+apiclient.DefaultDataDir+")")
	f.StringVar(&o.Addr, "api", "", "address of its API, such as http://127.0.0.1:8080, instead of --data")
	f.StringVar(&o.Key, "key", "", "API key, with --api")
}

// client finds the process.
func (o *apiOptions) client() (*apiclient.Client, error) {
	if o.Addr != "" {
		return apiclient.New(o.Addr, o.Key)
	}
	return apiclient.Discover(apiclient.DataDir(o.Data))
}
