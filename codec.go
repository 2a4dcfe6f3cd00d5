package leadroute

import (
	"fmt"

	"github.com/goccy/go-json"
)

// Encode returns a message's bytes on the wire: JSON, one object.
func Encode(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return b, nil
}

// Decode reads what Encode wrote. Unknown members are ignored, so that an older
// instance can read a newer one's messages.
func Decode[T any](b []byte) (*T, error) {
	v := new(T)
	if err := json.Unmarshal(b, v); err != nil {
		return nil, fmt.Errorf("decode %T: %w", *v, err)
	}
	return v, nil
}
