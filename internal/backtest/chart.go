package backtest

import (
	"io"
	"slices"
	"time"

	"github.com/wcharczuk/go-chart/v2"
)

// Chart draws the leads that wait and the reps who are busy over the time, as an SVG.
func (r *Report) Chart(w io.Writer) error {
	const width, height = 1000, 420
	samples := r.Samples
	if len(samples) == 1 { // a line needs two ends
		end := samples[0]
		end.At = end.At.Add(time.Minute)
		samples = append(slices.Clone(samples), end)
	}
	at := make([]time.Time, len(samples))
	waiting, busy, shift := make([]float64, len(at)), make([]float64, len(at)), make([]float64, len(at))
	most, crew := 1.0, 1.0
	for i, s := range samples {
		at[i], waiting[i], busy[i], shift[i] = s.At, float64(s.Waiting), float64(s.Busy), float64(s.OnShift)
		most, crew = max(most, waiting[i]), max(crew, shift[i])
	}
	line := func(name string, y []float64, c chart.YAxisType, color int) chart.Series {
		return chart.TimeSeries{
			Name: name, XValues: at, YValues: y, YAxis: c,
			Style: chart.Style{StrokeColor: chart.GetDefaultColor(color), StrokeWidth: 1.5},
		}
	}
	g := chart.Chart{
		Width: width, Height: height,
		Background: chart.Style{Padding: chart.Box{Top: 40, Left: 20, Right: 20, Bottom: 20}},
		XAxis:      chart.XAxis{ValueFormatter: chart.TimeValueFormatterWithFormat("01-02 15:04")},
		YAxis:      chart.YAxis{Name: "reps", ValueFormatter: chart.IntValueFormatter, Range: &chart.ContinuousRange{Max: crew}},
		YAxisSecondary: chart.YAxis{
			Name: "leads waiting", ValueFormatter: chart.IntValueFormatter, Range: &chart.ContinuousRange{Max: most},
		},
		Series: []chart.Series{
			line("leads waiting", waiting, chart.YAxisSecondary, 0),
			line("reps busy", busy, chart.YAxisPrimary, 1),
			line("reps on shift", shift, chart.YAxisPrimary, 2),
		},
	}
	g.Elements = []chart.Renderable{chart.LegendThin(&g)}
	return g.Render(chart.SVG, w)
}
