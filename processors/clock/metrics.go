package clock

import "github.com/prometheus/client_golang/prometheus"

// Metrics are the figures of a process's clocks.
type Metrics struct {
	pending *prometheus.GaugeVec   // kind: due, wake
	waiting *prometheus.GaugeVec   // queue
	oldest  *prometheus.GaugeVec   // queue
	fired   *prometheus.CounterVec // kind of the timer
	failed  prometheus.Counter
	late    prometheus.Histogram
}

// NewMetrics makes the figures and registers them with reg, unless it is nil.
func NewMetrics(reg prometheus.Registerer) *Metrics {
	m := &Metrics{
		pending: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "leadroute_timers_pending", Help: "Timers in memory: with a due time, or of waiting leads.",
		}, []string{"kind"}),
		waiting: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "leadroute_queue_waiting", Help: "Leads that wait in a queue, in this instance's partitions.",
		}, []string{"queue"}),
		oldest: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "leadroute_queue_oldest_seconds", Help: "How long the oldest lead of a queue has waited, in this instance's partitions.",
		}, []string{"queue"}),
		fired: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "leadroute_timers_fired_total", Help: "Firings sent to the ledger, repetitions included.",
		}, []string{"kind"}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "leadroute_timers_refused_total", Help: "Firings that the log refused; they are repeated.",
		}),
		late: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "leadroute_timer_late_seconds", Help: "How late a timer's first firing was.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60},
		}),
	}
	if reg != nil {
		reg.MustRegister(m.pending, m.waiting, m.oldest, m.fired, m.failed, m.late)
	}
	return m
}
