package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/leadroute/leadroute/dsl"
)

// commands lists every command, in the order of the help.
var commands = []func() *cobra.Command{
	newValidate,
	newFmt,
	newTest,
	newExplain,
	newPlan,
	newApply,
	newPolicies,
	newGraph,
	newWho,
	newBacktest,
	newSimulate,
	newConsole,
	newLang,
	newLSP,
	newImportPolicy,
	newRun,
	newDemo,
	newLeads,
	newQueues,
	newReps,
	newAccounts,
	newDeadLetters,
	newChannels,
	newCRMSim,
	newSLA,
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "leadroute",
		Short:         "Route leads in real time, by a policy that sales ops write",
		SilenceErrors: true, // main tells them, once
		SilenceUsage:  true, // a wrong policy is no wrong command line
	}
	root.PersistentFlags().Var(setVar{}, "var", "set a variable of the policy, `name=value`; may be given several times (the environment's "+dsl.EnvVar("name")+" does the same)")
	root.CompletionOptions.HiddenDefaultCmd = true
	for _, command := range commands {
		root.AddCommand(command())
	}
	sayWhatToWrite(root)
	return root
}

// sayWhatToWrite has each command that gets the wrong number of arguments answer with its usage.
func sayWhatToWrite(c *cobra.Command) {
	if fits := c.Args; fits != nil && c.HasParent() {
		c.Args = func(c *cobra.Command, args []string) error {
			if fits(c, args) != nil {
				return fmt.Errorf("the number of arguments is wrong: write %s (--help has an example)", strings.TrimSuffix(c.UseLine(), " [flags]"))
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		sayWhatToWrite(sub)
	}
}

// setVar is --var, which sets the variable in our own environment, from where every policy
// that is loaded reads it.
type setVar struct{}

func (setVar) String() string { return "" }
func (setVar) Type() string   { return "name=value" }

func (setVar) Set(s string) error {
	name, value, ok := strings.Cut(s, "=")
	if !ok || name == "" {
		return errors.New("write --var name=value")
	}
	return os.Setenv(dsl.EnvVar(name), value)
}
