package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute/dsl/lsp"
)

func newLSP() *cobra.Command {
	return &cobra.Command{
		Use:   "lsp",
		Short: "Serve editors: findings, completion, hover, definitions, formatting",
		Long: `Serve an editor over standard input and output, by the Language Server Protocol. Set it
as the language server of *.hcl policies in your editor; nobody starts it by hand.

All *.hcl files of a folder are one policy, unless several of them have a policy block.`,
		Example: "  leadroute lsp </dev/null",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return lsp.Serve(cmd.Context(), cmd.InOrStdin(), writeCloser{cmd.OutOrStdout()})
		},
	}
}

// writeCloser keeps standard output open.
type writeCloser struct{ io.Writer }

func (writeCloser) Close() error { return nil }
