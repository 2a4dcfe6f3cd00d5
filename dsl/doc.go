// Package dsl reads policies: HCL in, diagnostics and a plan.Plan out. HCL gives the
// syntax and the positions; every expression is type-checked here and compiled to the
// plan's closures, so that HCL is never evaluated for a lead.
//
// A block of the language is a file block_NAME.go and one line in blocks.go. How leads
// are decided is dsl/plan's business, running test blocks dsl/policytest's.
package dsl
