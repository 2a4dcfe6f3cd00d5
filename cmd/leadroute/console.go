package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl"
	"github.com/leadroute/leadroute/dsl/policytest"
	"github.com/leadroute/leadroute/processors/pools"
)

const consoleHelp = `lead {"score": 42}      set the lead; fields as the door takes them
lead.score > 50         any expression: its value for that lead, and why
explain                 where the lead goes, and why
busy pool.emea          nobody is free there; busy alone: everybody is free again
at 2026-01-14T10:00:00Z decide as of this time; at alone: now
show                    the lead, the time and who is busy
quit                    leave (so does Ctrl-D)
`

func newConsole() *cobra.Command {
	return &cobra.Command{
		Use:   "console POLICY",
		Short: "Try expressions and leads against a policy, line by line",
		Long:  "Try expressions and leads against a policy, line by line. A line is one of\n\n" + indent(consoleHelp),
		Example: "  leadroute console examples/demo.hcl\n" +
			"  printf 'lead {\"region\": \"EMEA\", \"score\": 42}\\nlead.score > 40\\nexplain\\n' | leadroute console examples/demo.hcl",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			policy, err := loadPlan(cmd.ErrOrStderr(), args...)
			if err != nil {
				return err
			}
			c := &console{policy: policy, lead: []byte("{}")}
			return c.run(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
}

func indent(s string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n  ")
}

// console is one sitting: the lead at hand and what is known of the world.
type console struct {
	policy *dsl.Policy
	lead   []byte // normalised, as behind the door
	at     time.Time
	busy   []string
}

// run answers line by line; on a terminal with editing and history.
func (c *console) run(ctx context.Context, in io.Reader, out io.Writer) error {
	next := lines(in)
	if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		old, err := term.MakeRaw(int(f.Fd()))
		if err != nil {
			return fmt.Errorf("open the terminal: %w", err)
		}
		defer func() { _ = term.Restore(int(f.Fd()), old) }()
		t := term.NewTerminal(struct {
			io.Reader
			io.Writer
		}{in, out}, "> ")
		next, out = t.ReadLine, t
		fmt.Fprintf(out, "%s, plan %s. help tells what can be asked.\n", c.policy.Plan.Name, c.policy.Plan.ID)
	}
	for ctx.Err() == nil {
		line, err := next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a line: %w", err)
		}
		switch line = strings.TrimSpace(line); line {
		case "":
			continue
		case "quit", "exit":
			return nil
		}
		if err := c.answer(out, line); err != nil {
			fmt.Fprintln(out, err)
		}
	}
	return ctx.Err()
}

func lines(in io.Reader) func() (string, error) {
	scan := bufio.NewScanner(in)
	scan.Buffer(nil, maxLead)
	return func() (string, error) {
		if scan.Scan() {
			return scan.Text(), nil
		}
		if err := scan.Err(); err != nil {
			return "", err
		}
		return "", io.EOF
	}
}

func (c *console) answer(out io.Writer, line string) error {
	word, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch {
	case line == "help":
		_, err := io.WriteString(out, consoleHelp)
		return err
	case line == "show":
		fmt.Fprintf(out, "lead %s\nat %s\nbusy %s\n", c.lead, c.now().Format(time.RFC3339), strings.Join(c.busy, " "))
		return nil
	case line == "explain":
		return c.explain(out)
	case word == "lead" && strings.HasPrefix(rest, "{"):
		return c.setLead(out, rest)
	case word == "at":
		return c.setTime(rest)
	case word == "busy":
		names := strings.FieldsFunc(rest, func(r rune) bool { return r == ' ' || r == ',' })
		if _, err := busy(c.policy.Plan, names); err != nil {
			return errors.New(strings.TrimPrefix(err.Error(), "--"))
		}
		c.busy = names
		return nil
	default:
		return c.eval(out, line)
	}
}

func (c *console) now() time.Time {
	if c.at.IsZero() {
		return time.Now()
	}
	return c.at
}

func (c *console) setTime(text string) error {
	if text == "" {
		c.at = time.Time{}
		return nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return fmt.Errorf("at %s: write a time such as 2026-01-14T10:00:00Z", text)
	}
	c.at = at
	return nil
}

func (c *console) setLead(out io.Writer, text string) error {
	fields, problems, err := c.policy.Plan.Check([]byte(text))
	if err != nil {
		return err
	}
	for _, p := range problems {
		fmt.Fprintf(out, "%s: %s; %s\n", p.Pointer, p.Message, p.Remedy)
	}
	if len(problems) == 0 {
		c.lead = fields
	}
	return nil
}

func (c *console) live() *policytest.Staffing {
	said, _ := busy(c.policy.Plan, c.busy) // the names were checked when they were set
	return policytest.Live(c.policy.Plan, said)
}

func (c *console) explain(out io.Writer) error {
	e := explanations{plan: c.policy.Plan, live: c.live(), roster: pools.NewRoster(), at: c.now()}
	x, err := e.explain(c.lead)
	if err != nil {
		return err
	}
	writeExplanation(out, c.policy.Plan, x)
	return nil
}

func (c *console) eval(out io.Writer, expression string) error {
	lead := &leadroute.Lead{ID: "console", ReceivedAt: leadroute.At(c.now()), Fields: json.RawMessage(c.lead)}
	v, diags, err := dsl.Eval(c.policy.Source, expression, lead, c.live(), c.now())
	if err != nil {
		return err
	}
	for _, d := range diags {
		fmt.Fprintln(out, d.Detail)
	}
	if len(diags) > 0 {
		return nil
	}
	fmt.Fprintln(out, v.Text)
	for _, b := range v.Because {
		fmt.Fprintln(out, "  "+reason(b, b.Verdict))
	}
	return nil
}
