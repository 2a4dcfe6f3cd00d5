package main

import (
	"errors"
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
	return root
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
