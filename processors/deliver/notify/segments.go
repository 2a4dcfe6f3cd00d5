package notify

import (
	"strings"
	"unicode/utf16"
)

// A text message is sent and paid for in segments, https://www.twilio.com/docs/glossary/what-sms-character-limit:
// of 160 characters of the GSM alphabet if there is one, of 153 if there are more; with any
// other character in it of 70, or 67.
const (
	gsmOne, gsmMany   = 160, 153
	wideOne, wideMany = 70, 67
	// maxSegments is what is sent of a message at most. A message of the usual words has two.
	maxSegments = 10
)

// gsm are the characters of the GSM alphabet (3GPP TS 23.038), gsmTwice those that take two places.
const (
	gsm = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿" +
		"abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmTwice = "\f^{}\\[~]|€"
)

// segmented shortens a text message to so many segments.
func segmented(s string, most int) string {
	size := utf16.RuneLen
	one, many := wideOne, wideMany
	if !strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune(gsm+gsmTwice, r) }) {
		one, many = gsmOne, gsmMany
		size = func(r rune) int {
			if strings.ContainsRune(gsmTwice, r) {
				return 2
			}
			return 1
		}
	}
	room := one
	if most > 1 {
		room = most * many
	}
	used := 0
	for i, r := range s {
		if used += size(r); used > room {
			return s[:i]
		}
	}
	return s
}
