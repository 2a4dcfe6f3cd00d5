package connector

import (
	"strings"
	"testing"
	"time"
)

const vectorKey = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// The first vector is the one that every Standard Webhooks library is tested with; the
// second was computed by the reference implementation for JavaScript.
func TestSignsAsTheReferenceDoes(t *testing.T) {
	for _, v := range []struct {
		id   string
		at   int64
		body string
		want string
	}{
		{
			"msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, `{"test": 2432232314}`,
			"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
		},
		{
			"msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", 1674087231,
			`{"type":"contact.created","timestamp":"2022-11-03T20:26:10.344522Z","data":{"id":"1f81eb52-5198-4599-803e-771906343485"}}`,
			"v1,ARw42xaAApl/nxRo+iPGYwSaMQaOwMo2eyH5JBRA+bQ=",
		},
	} {
		s, err := NewSigner(vectorKey)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Sign(v.id, time.Unix(v.at, 0), []byte(v.body)); got != v.want {
			t.Errorf("sign(%v, %v, %v) = %v, want %v", v.id, v.at, v.body, got, v.want)
		}
	}
}

func TestSignsWithEveryKeyWhileKeysRotate(t *testing.T) {
	old := "whsec_" + strings.Repeat("AAAA", 8)
	both, err := NewSigner(vectorKey + " " + old)
	if err != nil {
		t.Fatal(err)
	}
	one, _ := NewSigner(vectorKey)
	two, _ := NewSigner(old)
	at, body := time.Unix(1614265330, 0), []byte("{}")
	want := one.Sign("id", at, body) + " " + two.Sign("id", at, body)
	if got := both.Sign("id", at, body); got != want {
		t.Errorf("sign with two keys = %v, want %v", got, want)
	}
}

func TestRefusesABadKeyWithoutShowingIt(t *testing.T) {
	for _, key := range []string{"", "whsec_", "secret-text", "whsec_c2hvcnQ=", "whsec_%%%", vectorKey + " nonsense", "whsec_" + strings.Repeat("AAAA", 22)} {
		_, err := NewSigner(key)
		if err == nil {
			t.Errorf("NewSigner(%q) = nil error, want one", key)
		} else if key != "" && key != "whsec_" && strings.Contains(err.Error(), strings.TrimPrefix(key, "whsec_")) {
			t.Errorf("NewSigner(%q) = %q, which shows the key", key, err)
		}
	}
}

func TestVerifiesUnderEveryKey(t *testing.T) {
	old := "whsec_" + strings.Repeat("AAAA", 8)
	one, err := NewSigner(vectorKey)
	if err != nil {
		t.Fatal(err)
	}
	two, _ := NewSigner(old)
	both, _ := NewSigner(vectorKey + " " + old)
	at, body := time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`)
	sig := one.Sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, body)
	for _, c := range []struct {
		s         *Signer
		id        string
		at        time.Time
		body, sig string
		want      bool
	}{
		{one, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, string(body), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", true},
		{both, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, string(body), sig, true},
		{both, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, string(body), "v1a,xxxx v1,yyyy " + sig, true},
		{two, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, string(body), sig, false},
		{one, "msg_other", at, string(body), sig, false},
		{one, "msg_p5jXN8AQM9LWM0D4loKWxJek", at.Add(time.Second), string(body), sig, false},
		{one, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, `{"test": 1}`, sig, false},
		{one, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, string(body), "", false},
		{one, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, string(body), strings.TrimPrefix(sig, "v1,"), false},
	} {
		if got := c.s.Verify(c.id, c.at, []byte(c.body), c.sig); got != c.want {
			t.Errorf("Verify(%s, %v, %s, %q) = %v, want %v", c.id, c.at, c.body, c.sig, got, c.want)
		}
	}
}
