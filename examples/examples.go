// Package examples holds policies to start from. Each is tested by its own test blocks.
package examples

import _ "embed"

// Demo is the policy of `leadroute demo`.
//
//go:embed demo.hcl
var Demo []byte
