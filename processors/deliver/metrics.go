package deliver

import "github.com/prometheus/client_golang/prometheus"

// Metrics are the figures of all delivery workers of a process.
type Metrics struct {
	attempts *prometheus.CounterVec   // destination, result
	seconds  *prometheus.HistogramVec // destination
	inFlight *prometheus.GaugeVec     // destination
	queued   *prometheus.GaugeVec     // destination, class
	bad      *prometheus.CounterVec   // destination
}

// NewMetrics makes the figures and registers them with reg, unless it is nil.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "leadroute_delivery_attempts_total", Help: "Deliveries answered, by result; superseded ones were not tried.",
		}, []string{"destination", "result"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "leadroute_delivery_attempt_seconds", Help: "Duration of one attempt.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"destination"}),
		inFlight: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "leadroute_delivery_in_flight", Help: "Attempts in flight.",
		}, []string{"destination"}),
		queued: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "leadroute_delivery_queued", Help: "Deliveries read and not yet tried.",
		}, []string{"destination", "class"}),
		bad: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "leadroute_delivery_undecodable_total", Help: "Records that were no delivery of this destination; they went to the dead letters.",
		}, []string{"destination"}),
	}
	if reg != nil {
		reg.MustRegister(m.attempts, m.seconds, m.inFlight, m.queued, m.bad)
	}
	return m
}
