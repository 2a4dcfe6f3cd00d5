package stream

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// stageMetrics are one stage's counters. Labels: the stage's name.
type stageMetrics struct {
	messages prometheus.Counter // handled, dead-lettered ones included
	dead     prometheus.Counter
	restarts prometheus.Counter
	fenced   prometheus.Counter // records of stalled members found and skipped
	swept    prometheus.Counter // messages that sweeps sent
	rows     prometheus.GaugeFunc
}

func newStageMetrics(reg prometheus.Registerer, stage string, rows func() float64) *stageMetrics {
	counter := func(name, help string) prometheus.Counter {
		return Register(reg, prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "leadroute", Subsystem: "stage", Name: name, Help: help,
		}, []string{"stage"})).WithLabelValues(stage)
	}
	m := &stageMetrics{
		messages: counter("messages_total", "Messages handled, those sent to the dead letters included."),
		dead:     counter("dead_letters_total", "Messages that could not be handled and were sent to the dead letters."),
		restarts: counter("restarts_total", "Times the stage stopped and was started again."),
		fenced:   counter("fenced_records_total", "Table records skipped because a stalled member wrote them after it had lost the partition."),
		swept:    counter("swept_messages_total", "Messages sent by the anti-entropy sweep."),
		rows: prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: "leadroute", Subsystem: "stage", Name: "table_rows", Help: "Rows of the table that this instance owns.",
			ConstLabels: prometheus.Labels{"stage": stage},
		}, rows),
	}
	m.rows = Register(reg, m.rows)
	return m
}

// Register registers c and returns it; where a collector of that name is registered
// already, because its owner was started anew, it returns that one.
func Register[C prometheus.Collector](reg prometheus.Registerer, c C) C {
	if reg == nil {
		return c
	}
	var have prometheus.AlreadyRegisteredError
	if err := reg.Register(c); errors.As(err, &have) {
		if old, ok := have.ExistingCollector.(C); ok {
			return old
		}
	}
	return c
}
