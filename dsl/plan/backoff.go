package plan

import (
	"hash/fnv"
	"time"
)

// Backoff is the wait before the attempt that follows the given one: exponential, capped,
// with full jitter (uniform between 0 and the capped power), drawn from the seed so that
// a replay waits as long.
func Backoff(lo, hi time.Duration, attempt int, seed string) time.Duration {
	ceiling := hi
	if shift := attempt - 1; shift < 40 && lo<<shift > 0 && lo<<shift < hi {
		ceiling = lo << shift
	}
	if ceiling <= 0 {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(seed))
	_, _ = h.Write([]byte{byte(attempt), byte(attempt >> 8)})
	x := h.Sum64() // FNV's high bits mix poorly on short inputs; finish as splitmix64 does
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	x ^= x >> 31
	return time.Duration(x % uint64(ceiling))
}
