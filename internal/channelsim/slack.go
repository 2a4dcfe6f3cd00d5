package channelsim

import (
	"encoding/json"
	"mime"
	"net/http"
	"regexp"
	"strings"
	"unicode/utf8"
)

// slackHook is an incoming webhook,
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks: JSON with a
// text, "ok" for an answer, and one word in plain text for an error. More than one message a
// second is answered 429 with Retry-After, https://docs.slack.dev/apis/web-api/rate-limits.
var slackHook = service{
	pattern: "POST /services/{team}/{hook}/{token}",
	serve: func(_ *Sim, r *http.Request, body []byte) reply {
		word := func(status int, s string) reply { return reply{status: status, kind: "text/html", body: s} }
		if r.URL.Path != SlackHook {
			return word(http.StatusNotFound, "no_service")
		}
		m, bad := slackMessage(r, body)
		if bad != "" {
			if bad == "invalid_json" || bad == "invalid_post_type" {
				bad = "invalid_payload"
			}
			return word(http.StatusBadRequest, bad)
		}
		a := word(http.StatusOK, "ok")
		a.got = &Received{Service: "slack", Text: m.Text}
		return a
	},
	busy: func(s int) reply {
		return reply{status: http.StatusTooManyRequests, kind: "text/html", header: retryHeader(s), body: "rate_limited"}
	},
	broken: func(int) reply {
		return reply{status: http.StatusInternalServerError, kind: "text/html", body: "rollup_error"}
	},
}

// slackMethod is https://docs.slack.dev/reference/methods/chat.postMessage: a bearer token,
// JSON in UTF-8 with a channel and a text, and an answer that is 200 also for an error.
var slackMethod = service{
	pattern: "POST " + SlackMethod,
	serve: func(_ *Sim, r *http.Request, body []byte) reply {
		says := func(err string) reply {
			return reply{status: http.StatusOK, body: jsonBody(map[string]any{"ok": false, "error": err})}
		}
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		switch {
		case !ok:
			return says("not_authed")
		case token != SlackToken:
			return says("invalid_auth")
		}
		m, bad := slackMessage(r, body)
		switch {
		case bad != "":
			return says(bad)
		case !slackChannel.MatchString(m.Channel):
			return says("channel_not_found")
		}
		return reply{
			status: http.StatusOK, got: &Received{Service: "slack", To: m.Channel, Text: m.Text},
			body: jsonBody(map[string]any{"ok": true, "channel": m.Channel, "ts": "1503435956.000247", "message": map[string]any{"type": "message", "text": m.Text}}),
		}
	},
	busy: func(s int) reply {
		return reply{status: http.StatusTooManyRequests, header: retryHeader(s), body: jsonBody(map[string]any{"ok": false, "error": "ratelimited"})}
	},
	broken: func(int) reply {
		return reply{status: http.StatusOK, body: jsonBody(map[string]any{"ok": false, "error": "internal_error"})}
	},
}

type slackText struct {
	Text    string `json:"text"`
	Channel string `json:"channel"`
}

// slackChannel is an id of a channel or a person, or a channel's name.
var slackChannel = regexp.MustCompile(`^([CDGUW][A-Z0-9]{2,}|#[a-z0-9_-]{1,80})$`)

// maxSlackText is where chat.postMessage says msg_too_long.
const maxSlackText = 40_000

func slackMessage(r *http.Request, body []byte) (m slackText, bad string) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err != nil || kind != "application/json":
		return m, "invalid_post_type"
	case params["charset"] != "" && !strings.EqualFold(params["charset"], "utf-8"):
		return m, "invalid_charset"
	case !utf8.Valid(body) || json.Unmarshal(body, &m) != nil:
		return m, "invalid_json"
	case m.Text == "":
		return m, "no_text"
	case utf8.RuneCountInString(m.Text) > maxSlackText:
		return m, "msg_too_long"
	}
	return m, ""
}
