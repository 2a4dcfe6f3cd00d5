package gateway

import (
	"fmt"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/leadroute/leadroute"
)

// metrics are the door's figures; no label holds anything that a sender wrote.
type metrics struct {
	requests   *prometheus.CounterVec
	leads      *prometheus.CounterVec
	acked      prometheus.Histogram
	backlog    *prometheus.GaugeVec
	eventsLost prometheus.Counter
}

// The results of a lead at the door.
const (
	resultAccepted   = "accepted"
	resultDuplicate  = "duplicate"
	resultRejected   = "rejected"
	resultOverloaded = "overloaded"
	resultFailed     = "failed"
)

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	const ns, sub = "leadroute", "gateway"
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: ns, Subsystem: sub,
			Name: "requests_total", Help: "HTTP requests by route and status.",
		}, []string{"route", "status"}),
		leads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: ns, Subsystem: sub,
			Name: "leads_total", Help: "Leads by result (accepted, duplicate, rejected, overloaded, failed) and class.",
		}, []string{"result", "class"}),
		acked: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: ns, Subsystem: sub,
			Name: "ack_seconds", Help: "From the receipt of a lead to the log's acknowledgement.",
			Buckets: []float64{.0005, .001, .002, .005, .01, .02, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}),
		backlog: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: ns, Subsystem: sub,
			Name: "backlog", Help: "Leads in a class's inbox that admit has not taken.",
		}, []string{"class"}),
		eventsLost: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: ns, Subsystem: sub,
			Name: "events_lost_total", Help: "Events that the log did not take.",
		}),
	}
	for _, c := range []prometheus.Collector{m.requests, m.leads, m.acked, m.backlog, m.eventsLost} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) request(route string, status int) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
}

func (m *metrics) lead(result string, class leadroute.Class) {
	m.leads.WithLabelValues(result, string(class)).Inc()
}
