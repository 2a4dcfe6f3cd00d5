package dsl

import (
	"io"
	"path/filepath"

	"github.com/owenrumney/go-sarif/v3/pkg/report"
	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
)

// WriteSARIF writes the diagnostics as a SARIF 2.1.0 log, which code hosts show beside the
// lines of a change. Files are named as the user named them, relative to the repository.
func (ds Diagnostics) WriteSARIF(w io.Writer) error {
	run := sarif.NewRunWithInformationURI("leadroute", "https://github.com/leadroute/leadroute")
	run.WithColumnKind("unicodeCodePoints")
	for _, f := range Findings {
		level := "error"
		if f.Warning {
			level = "warning"
		}
		run.AddRule(f.ID).WithName(f.Slug).
			WithShortDescription(sarif.NewMultiformatMessageString().WithText(f.Summary)).
			WithFullDescription(sarif.NewMultiformatMessageString().WithText(f.Explain)).
			WithHelpURI("https://github.com/leadroute/leadroute/blob/main/" + f.Link()).
			WithDefaultConfiguration(sarif.NewReportingConfiguration().WithLevel(level))
	}
	for _, d := range ds {
		r := sarif.NewRuleResult(d.ID).WithLevel(d.Severity).WithMessage(sarif.NewTextMessage(d.Summary + ": " + d.Detail))
		if d.File != "" {
			place := sarif.NewPhysicalLocation().WithArtifactLocation(sarif.NewSimpleArtifactLocation(filepath.ToSlash(d.File)))
			if d.Line > 0 {
				place.WithRegion(sarif.NewRegion().WithStartLine(d.Line).WithStartColumn(d.Column).WithEndLine(d.EndLine).WithEndColumn(d.EndColumn))
			}
			r.AddLocation(sarif.NewLocationWithPhysicalLocation(place))
		}
		run.AddResult(r)
	}
	log := report.NewV210Report()
	log.AddRun(run)
	return log.PrettyWrite(w)
}
