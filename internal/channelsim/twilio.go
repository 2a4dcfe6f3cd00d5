package channelsim

import (
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"unicode/utf8"
)

// twilio makes a message, https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource:
// a form under the account's Basic authorization, 201 with the message. The errors' codes
// are those of https://www.twilio.com/docs/api/errors.
var twilio = service{
	pattern: "POST /2010-04-01/Accounts/{account}/Messages.json",
	serve: func(_ *Sim, r *http.Request, body []byte) reply {
		user, password, ok := r.BasicAuth()
		if !ok || user != TwilioSID || password != TwilioToken {
			return twilioError(http.StatusUnauthorized, 20003, "Authenticate")
		}
		if r.PathValue("account") != TwilioSID {
			return twilioError(http.StatusNotFound, 20404, "The requested resource "+r.URL.Path+" was not found")
		}
		kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		form, err := url.ParseQuery(string(body))
		if err != nil || kind != "application/x-www-form-urlencoded" {
			form = url.Values{} // what it cannot read is not there
		}
		to, from, text := form.Get("To"), form.Get("From"), form.Get("Body")
		bad := func(code int, message string) reply { return twilioError(http.StatusBadRequest, code, message) }
		switch {
		case to == "":
			return bad(21604, "A 'To' phone number is required.")
		case !e164.MatchString(to):
			return bad(21211, fmt.Sprintf("The 'To' number %s is not a valid phone number.", to))
		case from == "":
			return bad(21603, "A 'From' phone number is required.")
		case from != TwilioFrom:
			return bad(21606, fmt.Sprintf("The 'From' phone number %s is not a valid, SMS-capable inbound phone number or short code for your account.", from))
		case text == "":
			return bad(21602, "Message body is required.")
		case utf8.RuneCountInString(text) > 1600:
			return bad(21617, "The concatenated message body exceeds the 1600 character limit.")
		}
		return reply{
			status: http.StatusCreated, got: &Received{Service: "twilio", To: to, Text: text},
			body: jsonBody(map[string]any{
				"sid": "SM00000000000000000000000000000000", "account_sid": TwilioSID, "to": to, "from": from, "body": text, "status": "queued", "error_code": nil,
			}),
		}
	},
	busy: func(int) reply { return twilioError(http.StatusTooManyRequests, 20429, "Too Many Requests") },
	broken: func(int) reply {
		return twilioError(http.StatusInternalServerError, 20500, "An internal server error has occurred")
	},
}

// e164 is a telephone number as it must be written.
var e164 = regexp.MustCompile(`^\+[1-9]\d{6,14}$`)

func twilioError(status, code int, message string) reply {
	return reply{status: status, body: jsonBody(map[string]any{
		"code": code, "message": message, "more_info": fmt.Sprint("https://www.twilio.com/docs/errors/", code), "status": status,
	})}
}
