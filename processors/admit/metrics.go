package admit

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

type metrics struct {
	waited   *prometheus.HistogramVec
	inFlight prometheus.Gauge
	waiting  *prometheus.GaugeVec
	expired  prometheus.Counter
	buried   prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	const ns, sub = "leadroute", "admit"
	return &metrics{
		waited: stream.Register(reg, prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: ns, Subsystem: sub,
			Name: "wait_seconds", Help: "From a lead's receipt at the door until the ledger's inbox has it, by final class.",
			Buckets: []float64{.002, .005, .01, .02, .05, .1, .25, .5, 1, 5, 30, 60, 300, 1800},
		}, []string{"class"})),
		inFlight: stream.Register(reg, prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: ns, Subsystem: sub,
			Name: "in_flight", Help: "Leads in the middle that this instance let in.",
		})),
		waiting: stream.Register(reg, prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: ns, Subsystem: sub,
			Name: "waiting", Help: "Leads read from an inbox that wait to enter, by the inbox's class.",
		}, []string{"class"})),
		expired: stream.Register(reg, prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: ns, Subsystem: sub,
			Name: "expired_total", Help: "Leads whose departure did not come in time.",
		})),
		buried: stream.Register(reg, prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: ns, Subsystem: sub,
			Name: "dead_letters_total", Help: "Records that could not be read.",
		})),
	}
}

func (m *metrics) admitted(class leadroute.Class, waited time.Duration) {
	m.waited.WithLabelValues(string(class)).Observe(max(0, waited).Seconds())
}

func (m *metrics) queued(classes []leadroute.Class, read []int) {
	for i, c := range classes {
		m.waiting.WithLabelValues(string(c)).Set(float64(read[i]))
	}
}
