package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"
	"golang.org/x/time/rate"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/internal/apiclient"
)

type leadsPushOptions struct {
	API      *apiOptions
	File     string
	Rate     float64 // leads a second; 0: as fast as it goes
	Batch    int
	Patience time.Duration // how long one batch may be refused for load
	JSON     bool
	In       io.Reader
	Out, Err io.Writer
}

// Bounds of one batch: those of the API, with room to spare for its size.
const (
	maxBatch      = 1000
	maxBatchBytes = 3 << 20 // and one more lead
	maxRejections = 10_000  // told one by one
)

func newLeadsPush(api *apiOptions) *cobra.Command {
	opts := leadsPushOptions{API: api}
	cmd := &cobra.Command{
		Use:   "push FILE|-",
		Short: "Send leads from a file, or from standard input",
		Long: `Send leads from a file, or with - from standard input: a JSON array, or one JSON object a line (NDJSON).

A batch that the router has no room for (429, 503) is sent again when it says so. Leads that it rejects are
told in a table, with what to do about each. Pushing a file again does no harm: a lead that was taken before
is a duplicate.

Exit code: 0 if every lead was taken or is a duplicate, 1 if any was rejected or the push could not be ended.`,
		Example: "  leadroute leads push leads.json\n  leadroute leads push --rate 50 - <leads.ndjson",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opts.File, opts.In, opts.Out, opts.Err = args[0], cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()
			return pushLeads(cmd.Context(), opts)
		},
	}
	f := cmd.Flags()
	f.Float64Var(&opts.Rate, "rate", 0, "leads a second at most; 0: as fast as it goes")
	f.IntVar(&opts.Batch, "batch", maxBatch, "leads in one request, at most 1000")
	f.DurationVar(&opts.Patience, "patience", 2*time.Minute, "give up when a batch has been refused for so long")
	f.BoolVar(&opts.JSON, "json", false, "print one JSON object")
	return cmd
}

// pushed is what became of a push.
type pushed struct {
	Accepted   int         `json:"accepted"`
	Duplicates int         `json:"duplicates"`
	Rejected   int         `json:"rejected"`
	Resent     int         `json:"resent"` // batches, for load
	Rejections []rejection `json:"rejections"`
}

// rejection is one lead that was not taken, and why.
type rejection struct {
	Index   int              `json:"index"` // in the file, from 0
	ID      leadroute.LeadID `json:"id,omitempty"`
	Code    string           `json:"code"`
	Pointer string           `json:"pointer,omitempty"`
	Message string           `json:"message"`
	Remedy  string           `json:"remedy,omitempty"`
}

func (p *pushed) reject(r rejection) {
	p.Rejected++
	if len(p.Rejections) < maxRejections {
		p.Rejections = append(p.Rejections, r)
	}
}

// batchAnswer is what the API says to a batch.
type batchAnswer struct {
	Accepted   int `json:"accepted"`
	Duplicates int `json:"duplicates"`
	Results    []struct {
		Index int              `json:"index"`
		ID    leadroute.LeadID `json:"id"`
		Error *rejection       `json:"error"`
	} `json:"results"`
}

// pusher sends one file.
type pusher struct {
	opts    leadsPushOptions
	api     *apiclient.Client
	limiter *rate.Limiter
	result  pushed
}

func pushLeads(ctx context.Context, opts leadsPushOptions) error {
	if opts.Rate < 0 || opts.Batch < 1 || opts.Batch > maxBatch || opts.Patience < 0 {
		return fmt.Errorf("--rate and --patience must not be negative, --batch must be from 1 to %d", maxBatch)
	}
	api, err := opts.API.client()
	if err != nil {
		return err
	}
	in, size, err := openInput(opts.File, opts.In)
	if err != nil {
		return err
	}
	defer in.Close()
	p := &pusher{opts: opts, api: api, limiter: rate.NewLimiter(rate.Inf, 0)}
	p.result.Rejections = []rejection{}
	if opts.Rate > 0 { // small batches, so that the rate holds from one second to the next
		p.opts.Batch = max(1, min(opts.Batch, int(opts.Rate/10)))
		p.limiter = rate.NewLimiter(rate.Limit(opts.Rate), p.opts.Batch)
	}
	err = p.push(ctx, in, size)
	if err != nil && p.result.Accepted+p.result.Duplicates+p.result.Rejected == 0 {
		return err
	}
	if perr := p.print(); perr != nil {
		return perr
	}
	if err == nil && p.result.Rejected > 0 {
		return exit(1)
	}
	return err
}

// push sends all; what became of it is in the result, also of a push that was cut short.
func (p *pusher) push(ctx context.Context, in io.Reader, size int64) error {
	leads := newLeadReader(in, p.opts.File)
	bar := newBar("pushing", p.opts.Err, size)
	defer func() { _ = bar.Clear() }()
	index := 0
	for more := true; more; {
		var batch []json.RawMessage
		var numbers []int
		for weight := 0; len(batch) < p.opts.Batch && weight < maxBatchBytes; {
			lead, err := leads.next()
			if errors.Is(err, io.EOF) {
				more = false
				break
			}
			if err != nil { // what is before it is sound, and goes first
				if serr := p.send(ctx, batch, numbers); serr != nil {
					return serr
				}
				return fmt.Errorf("%w: mend it after lead %d and push the file again", err, index)
			}
			if lead == nil {
				p.result.reject(rejection{
					Index: index, Code: "too_large", Message: fmt.Sprintf("the lead is larger than %d bytes", maxLead), Remedy: "send a smaller lead",
				})
			} else {
				batch, numbers = append(batch, lead), append(numbers, index)
				weight += len(lead)
			}
			index++
		}
		if err := p.send(ctx, batch, numbers); err != nil {
			return err
		}
		_ = bar.Set64(leads.read)
	}
	if index == 0 {
		return fmt.Errorf("%s holds no lead: give a JSON array, or one JSON object a line", inputName(p.opts.File))
	}
	return nil
}

// send posts one batch until it is taken; numbers are the leads' places in the file.
func (p *pusher) send(ctx context.Context, batch []json.RawMessage, numbers []int) error {
	if len(batch) == 0 {
		return nil
	}
	if err := p.limiter.WaitN(ctx, len(batch)); err != nil {
		return err
	}
	body := bytes.Join(rawBytes(batch), []byte{'\n'})
	var refusedSince time.Time
	for {
		var a batchAnswer
		err := p.api.Do(ctx, http.MethodPost, "/v1/leads/batch", &apiclient.Body{ContentType: "application/x-ndjson", Reader: bytes.NewReader(body)}, &a)
		if problem, ok := errors.AsType[*apiclient.ProblemError](err); ok {
			switch {
			case problem.Status == http.StatusUnprocessableEntity && json.Unmarshal(problem.Body, &a) == nil && len(a.Results) > 0:
				err = nil // all of them rejected, one by one
			case problem.Status == http.StatusTooManyRequests, problem.Status == http.StatusServiceUnavailable:
				if refusedSince.IsZero() {
					refusedSince = time.Now()
				}
				wait := max(problem.RetryAfter, 100*time.Millisecond)
				if time.Since(refusedSince)+wait <= p.opts.Patience {
					p.result.Resent++
					if err := pause(ctx, wait); err != nil {
						return err
					}
					continue
				}
			}
		}
		if err != nil && numbers[0] > 0 {
			return fmt.Errorf("after %s: %w; then push the file again, what was taken is a duplicate", plural(numbers[0], "lead"), err)
		}
		if err != nil {
			return err
		}
		p.result.Accepted += a.Accepted
		p.result.Duplicates += a.Duplicates
		for _, r := range a.Results {
			if r.Error != nil && r.Index >= 0 && r.Index < len(numbers) {
				r.Error.Index, r.Error.ID = numbers[r.Index], r.ID
				p.result.reject(*r.Error)
			}
		}
		return nil
	}
}

func rawBytes(raws []json.RawMessage) [][]byte {
	out := make([][]byte, len(raws))
	for i := range raws {
		out[i] = raws[i]
	}
	return out
}

func (p *pusher) print() error {
	r := &p.result
	if p.opts.JSON {
		return printJSON(p.opts.Out, r)
	}
	if len(r.Rejections) > 0 {
		w := tabwriter.NewWriter(p.opts.Out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "INDEX\tPOINTER\tMESSAGE\tREMEDY")
		for _, j := range r.Rejections {
			fmt.Fprintf(w, "%d\t%s\t%s\t%s\n", j.Index, dash(j.Pointer), j.Message, dash(j.Remedy))
		}
		if err := w.Flush(); err != nil {
			return err
		}
	}
	if more := r.Rejected - len(r.Rejections); more > 0 {
		fmt.Fprintf(p.opts.Err, "and %d more were rejected\n", more)
	}
	if r.Resent > 0 {
		fmt.Fprintf(p.opts.Err, "the router was busy: %s sent again; a lead that had arrived the first time counts as a duplicate\n", plural(r.Resent, "request"))
	}
	_, err := fmt.Fprintf(p.opts.Out, "%d accepted, %s, %d rejected\n", r.Accepted, plural(r.Duplicates, "duplicate"), r.Rejected)
	return err
}

// openInput opens a file, or standard input for "-". size is -1 where it is not known.
func openInput(name string, stdin io.Reader) (in io.ReadCloser, size int64, err error) {
	if name == "-" {
		return io.NopCloser(stdin), -1, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a folder: name a file in it", name)
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	if !info.Mode().IsRegular() {
		return f, -1, nil
	}
	return f, info.Size(), nil
}

// inputName is how talk calls the input.
func inputName(file string) string {
	if file == "-" {
		return "standard input"
	}
	return file
}

// newBar shows progress in bytes on a terminal, and nothing elsewhere.
func newBar(doing string, out io.Writer, size int64) *progressbar.ProgressBar {
	f, ok := out.(*os.File)
	return progressbar.NewOptions64(size, progressbar.OptionSetWriter(out), progressbar.OptionSetVisibility(ok && term.IsTerminal(int(f.Fd()))),
		progressbar.OptionSetDescription(doing), progressbar.OptionShowBytes(true), progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30))
}
