// Package e2e tries the product as its users run it: as processes, with the binaries that
// are shipped, on real folders and ports, and does to them what a bad day does: kills them,
// stalls them, takes the log or the database away in mid-load. The CRM, its reps and the
// senders are the test's and survive; the verdict is that of `leadroute demo`. It has
// tests only.
//
// Here is checked that the whole holds together. Which part breaks, and how, is found
// sooner by the parts' own tests and by internal/sim.
package e2e
