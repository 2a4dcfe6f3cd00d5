package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

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
		newLangDiagnostics(),
	)
	return cmd
}

func newLangDiagnostics() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:     "diagnostics --out FOLDER",
		Short:   "Write a page for each finding that validate can make",
		Example: "  leadroute lang diagnostics --out docs/diagnostics",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return fmt.Errorf("--out: %w", err)
			}
			pages := reference.DiagnosticPages()
			for name, page := range pages {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(page), 0o644); err != nil {
					return fmt.Errorf("--out: %w", err)
				}
			}
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%d pages in %s\n", len(pages), dir)
			return err
		},
	}
	cmd.Flags().StringVarP(&dir, "out", "o", "docs/diagnostics", "folder to write to; what is there is replaced")
	return cmd
}
