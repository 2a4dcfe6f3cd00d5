// Package stream is how the product talks to the log. It runs a stateful stage
// (a decision with one inbox topic and one table) on Goka, a stateless stage on
// franz-go, and keeps views of other stages' tables. It alone knows Goka and
// sarama.
//
// It leaves every decision to the stages: it decodes a message and the row of its
// key, calls the decision, and writes the row and the effects back. It knows the
// names of topics, never what is in them.
//
// What Goka alone gets wrong for this product, and where it is put right:
//
//   - It commits an input before the outputs of the inputs ahead of it are safe,
//     and so loses messages: group.go.
//   - It sleeps five seconds after every rebalance: group.go.
//   - Its producer lingers 100 ms: producer.go.
//   - A table read in another process can be older than what a stalled owner
//     overwrote: fence.go and guard.go.
//   - A message that cannot be read stops every partition for ever: deadletter.go.
//   - A stopped processor stays stopped: supervise.go.
//   - Its memory table is quadratic: store.go. Its lookups die with one broker
//     connection, and a missing table stops the start: view.go replaces them.
package stream
