package channelsim

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"time"
	"unicode/utf8"
)

// pagerDuty takes events, https://developer.pagerduty.com/docs/send-alert-event: 202 with
// the key of the incident, 400 with what is wrong with the event, 429 without Retry-After.
var pagerDuty = service{
	pattern: "POST " + PagerEnqueue,
	serve: func(_ *Sim, r *http.Request, body []byte) reply {
		var e struct {
			RoutingKey  string `json:"routing_key"`
			EventAction string `json:"event_action"`
			DedupKey    string `json:"dedup_key"`
			Payload     *struct {
				Summary   string         `json:"summary"`
				Source    string         `json:"source"`
				Severity  string         `json:"severity"`
				Timestamp string         `json:"timestamp"`
				Component string         `json:"component"`
				Group     string         `json:"group"`
				Class     string         `json:"class"`
				Details   map[string]any `json:"custom_details"`
			} `json:"payload"`
		}
		kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if len(body) > maxBody {
			return reply{status: http.StatusRequestEntityTooLarge}
		}
		if kind != "application/json" || json.Unmarshal(body, &e) != nil {
			return pagerError("Unrecognized object", "Event object format is unrecognized", "JSON parse error")
		}
		var wrong []string
		need := func(ok bool, format string, args ...any) {
			if !ok {
				wrong = append(wrong, fmt.Sprintf(format, args...))
			}
		}
		need(len(e.RoutingKey) == 32, "Length of 'routing_key' is incorrect (should be 32 characters)")
		need(slices.Contains([]string{"trigger", "acknowledge", "resolve"}, e.EventAction), "'event_action' is missing or invalid (must be one of: trigger, acknowledge, resolve)")
		need(len(e.DedupKey) <= 255, "Length of 'dedup_key' is incorrect (should be at most 255 characters)")
		need(e.DedupKey != "" || e.EventAction == "trigger", "'dedup_key' is missing or blank")
		if e.EventAction == "trigger" {
			need(e.Payload != nil, "'payload' is missing or blank")
		}
		got := &Received{Service: "pagerduty", ID: e.DedupKey, Action: e.EventAction}
		if p := e.Payload; p != nil {
			need(p.Summary != "", "'payload.summary' is missing or blank")
			need(utf8.RuneCountInString(p.Summary) <= 1024, "Length of 'payload.summary' is incorrect (should be at most 1024 characters)")
			need(p.Source != "", "'payload.source' is missing or blank")
			need(slices.Contains([]string{"critical", "error", "warning", "info"}, p.Severity), "'payload.severity' is invalid (must be one of the following: 'critical', 'warning', 'error' or 'info')")
			_, err := time.Parse(time.RFC3339, p.Timestamp)
			need(p.Timestamp == "" || err == nil, "'payload.timestamp' is invalid")
			text, _ := p.Details["text"].(string)
			got.Subject, got.Text = p.Summary, text
		}
		switch {
		case len(wrong) > 0:
			return pagerError("invalid event", "Event object is invalid", wrong...)
		case e.RoutingKey != RoutingKey: // it is not said: an integration that is unknown is a wrong key
			return pagerError("invalid event", "Event object is invalid", "'routing_key' is invalid")
		}
		if got.ID == "" {
			got.ID = "generated"
		}
		return reply{
			status: http.StatusAccepted, got: got,
			body: jsonBody(map[string]any{"status": "success", "message": "Event processed", "dedup_key": got.ID}),
		}
	},
	busy: func(int) reply {
		return reply{status: http.StatusTooManyRequests, kind: "text/plain", body: "Too Many Requests"}
	},
	broken: func(int) reply { return reply{status: http.StatusInternalServerError, kind: "text/plain"} },
}

func pagerError(status, message string, errs ...string) reply {
	return reply{status: http.StatusBadRequest, body: jsonBody(map[string]any{"status": status, "message": message, "errors": errs})}
}
