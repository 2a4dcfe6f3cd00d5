package main

import "github.com/spf13/cobra"

// commands lists every command, in the order of the help.
var commands = []func() *cobra.Command{
	newValidate,
	newFmt,
	newTest,
	newExplain,
	newGraph,
	newWho,
	newConsole,
	newLang,
	newLSP,
	newImportPolicy,
	newRun,
	newDemo,
	newLeads,
	newReps,
	newAccounts,
	newDeadLetters,
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
	root.CompletionOptions.HiddenDefaultCmd = true
	for _, command := range commands {
		root.AddCommand(command())
	}
	return root
}
