// Package bench compares the product with other engines on the same work. It is a module
// of its own, so that the product depends on none of them.
package bench
