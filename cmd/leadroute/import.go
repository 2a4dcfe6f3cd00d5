package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/importer"
)

type importPolicyOptions struct {
	File     string
	Rule     string
	Dir      string
	In       io.Reader
	Out, Err io.Writer
	JSON     bool
}

func newImportPolicy() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Make a policy of what routes your leads today",
		Long: `Make a policy of what routes your leads today. The policy is written to a folder that
must not exist yet, and is checked as validate does. What has no counterpart becomes a
disabled rule with the original beside it.`,
	}
	cmd.AddCommand(
		newImporter("salesforce", "leads.assignmentRules-meta.xml",
			"a Salesforce org's assignment rules", `The file is the metadata of AssignmentRules, as the Metadata API and the Salesforce CLI
retrieve it. Of several rules, the active one is taken, or --rule NAME.`,
			"  leadroute import salesforce testdata/leads.assignmentRules-meta.xml --out policy",
			func(opts importPolicyOptions, in io.Reader) (*importer.Result, error) {
				return importer.Salesforce(in, opts.Rule)
			}),
		newImporter("csv", "territories.csv",
			"a territory sheet", `The file is a CSV with a header. Columns are known by their names: country, state, region,
industry, postal_prefix, size_from and size_to and the like say which leads a row is for;
owner, rep, pool or assigned_to says who takes them. Several values in a cell are parted by |.`,
			"  leadroute import csv testdata/territories.csv --out policy",
			func(_ importPolicyOptions, in io.Reader) (*importer.Result, error) { return importer.Sheet(in) }),
	)
	return cmd
}

func newImporter(name, file, what, long, example string, read func(importPolicyOptions, io.Reader) (*importer.Result, error)) *cobra.Command {
	var opts importPolicyOptions
	cmd := &cobra.Command{
		Use:     name + " FILE|-",
		Short:   "Make a policy of " + what,
		Long:    "Make a policy of " + what + ", such as " + file + ".\n\n" + long,
		Example: example,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.File, opts.In, opts.Out, opts.Err = args[0], cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
			return importPolicy(opts, read)
		},
	}
	cmd.Flags().StringVarP(&opts.Dir, "out", "o", "policy", "folder to write the policy to")
	cmd.Flags().BoolVar(&opts.JSON, "json", false, "print one JSON object that says what was imported")
	if name == "salesforce" {
		cmd.Flags().StringVar(&opts.Rule, "rule", "", "import this assignment rule (default: the active one)")
	}
	return cmd
}

// imported is what the command says of an import.
type imported struct {
	Dir      string   `json:"dir"`
	Files    []string `json:"files"`
	Rules    int      `json:"rules"`
	Disabled int      `json:"disabled"`
	Notes    []string `json:"notes"`
}

func importPolicy(opts importPolicyOptions, read func(importPolicyOptions, io.Reader) (*importer.Result, error)) error {
	in, closeIn, err := openIn(opts.File, opts.In)
	if err != nil {
		return err
	}
	defer closeIn()
	result, err := read(opts, in)
	if err != nil {
		return fmt.Errorf("%s: %w", opts.File, err)
	}
	if _, err := os.Stat(opts.Dir); err == nil {
		return fmt.Errorf("--out %s exists already; name a folder that does not, so that nothing is overwritten", opts.Dir)
	}
	said := imported{Dir: opts.Dir, Rules: result.Rules, Disabled: result.Disabled, Notes: append([]string{}, result.Notes...)}
	for name, content := range result.Files {
		path := filepath.Join(opts.Dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("write the policy: %w", err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return fmt.Errorf("write the policy: %w", err)
		}
		said.Files = append(said.Files, path)
	}
	slices.Sort(said.Files)
	policy, diags := dsl.Load(opts.Dir)
	if opts.JSON {
		if err := printJSON(opts.Out, said); err != nil {
			return err
		}
	} else {
		for _, note := range said.Notes {
			fmt.Fprintln(opts.Out, "note:", note)
		}
		fmt.Fprintf(opts.Out, "%s: %s, %d of them disabled for a person to look at; %s\n", opts.Dir, plural(said.Rules, "rule"), said.Disabled, summary(policy.Plan, diags))
	}
	if policy.Plan == nil {
		if err := diags.WriteText(opts.Err); err != nil {
			return err
		}
		return exit(1)
	}
	return nil
}
