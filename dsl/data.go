package dsl

import (
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// data reads a file that the policy names, relative to the folder of the file that names
// it. It becomes a part of the policy's Source under that name, and of its id.
func (c *compiler) data(name string, rng hcl.Range) ([]byte, bool) {
	if src, ok := c.given[name]; ok {
		c.use(name, src)
		return src, true
	}
	switch {
	case path.IsAbs(name) || filepath.IsAbs(name) || !filepath.IsLocal(name):
		c.report(unreadable, rng, "%q lies outside of the policy's folder. What a policy reads lies in its folder, so that it can be sent with it.", name)
		return nil, false
	case !c.disk:
		c.report(unreadable, rng, "The file %s did not come with the policy.", name)
		return nil, false
	}
	full := filepath.Join(filepath.Dir(rng.Filename), filepath.FromSlash(name))
	if info, err := os.Stat(full); err == nil && info.Size() > maxSource {
		c.report(unreadable, rng, "%s is larger than %d MB.", name, maxSource>>20)
		return nil, false
	}
	src, err := os.ReadFile(full)
	if err != nil {
		c.report(unreadable, rng, "%s.", capital(plainError(full, err).Error()))
		return nil, false
	}
	c.use(name, src)
	return src, true
}

// use takes note of a data file that the plan depends on.
func (c *compiler) use(name string, src []byte) {
	if c.used == nil {
		c.used = map[string][]byte{}
	}
	c.used[name] = src
}

// fetched returns what was fetched from an address, if it came with the policy.
func (c *compiler) fetched(url string) ([]byte, bool) {
	src, ok := c.given[url]
	if ok {
		c.use(url, src)
	}
	return src, ok
}

// IsAddress tells whether a name in a policy's Source is an address that was fetched, and no file.
func IsAddress(s string) bool {
	return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")
}
