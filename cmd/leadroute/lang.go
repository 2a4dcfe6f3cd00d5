package main

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/reference"
)

func newLang() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lang",
		Short: "Describe the policy language, for editors and people",
	}
	cmd.AddCommand(
		&cobra.Command{
			Use:   "schema",
			Short: "Print blocks, attributes and functions as JSON",
			Long: `Print what the compiler decodes as one JSON object: each block with its attributes, their
types and a sentence for each, the functions of conditions, and the fields that every lead
and rep has. Editors make completion and hover of it.`,
			Example: "  leadroute lang schema",
			Args:    cobra.NoArgs,
			RunE:    func(cmd *cobra.Command, _ []string) error { return printJSON(cmd.OutOrStdout(), dsl.Describe()) },
		},
		&cobra.Command{
			Use:     "reference",
			Short:   "Print the reference as Markdown",
			Example: "  leadroute lang reference",
			Args:    cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error {
				_, err := io.WriteString(cmd.OutOrStdout(), reference.Markdown(dsl.Describe()))
				return err
			},
		},
	)
	return cmd
}
