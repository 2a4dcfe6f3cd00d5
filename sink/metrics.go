package sink

import "github.com/prometheus/client_golang/prometheus"

// metrics count what the sink does; no label carries data of a lead.
type metrics struct {
	rows, errors, unreadable prometheus.Counter
	insert                   prometheus.Histogram
	last                     prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		rows: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "leadroute_sink_rows_total", Help: "Latency events written to ClickHouse, copies included.",
		}),
		errors: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "leadroute_sink_insert_errors_total", Help: "Inserts that failed; each is tried again.",
		}),
		unreadable: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "leadroute_sink_unreadable_total", Help: "Records of the events topic that went to the dead letters.",
		}),
		insert: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "leadroute_sink_insert_seconds", Help: "Duration of an insert that succeeded.",
			Buckets: prometheus.ExponentialBuckets(0.002, 2, 14),
		}),
		last: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "leadroute_sink_written_at_seconds", Help: "Unix time of the last insert that succeeded.",
		}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.rows, m.errors, m.unreadable, m.insert, m.last} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
