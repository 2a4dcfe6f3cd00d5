package policies

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
)

// API serves the log of policies and takes changes.
type API struct {
	Policies *Log
	// Vet compiles a policy's source and holds it against its own tests and invariants; what
	// it returns as source is published. A *Refusal says what is wrong.
	Vet func(ctx context.Context, source map[string][]byte) (*plan.Plan, map[string][]byte, error)
	// Running is what this instance routes by, which lags behind the log for a moment, and
	// why it does not follow the log if it cannot.
	Running func() Running
}

// Running is what an instance routes by.
type Running struct {
	Current   leadroute.PlanID `json:"current"`
	Candidate leadroute.PlanID `json:"candidate,omitempty"`
	Refused   string           `json:"refused,omitempty"` // why it does not follow the log
}

// Refusal is the error of a policy that must not come into force.
type Refusal struct {
	Detail string
	// Findings are the diagnostics or the failed tests, for programs.
	Findings any
}

func (r *Refusal) Error() string { return r.Detail }

// View is what the log says, and what this instance does.
type View struct {
	Standing
	Running Running `json:"running"`
}

// Application asks for a policy to come into force.
type Application struct {
	Source map[string][]byte `json:"source"` // file name to content (base64)
	// Expect is the plan in force from which the change was made; the application is refused
	// where another one is in force by now. Empty: whatever is in force.
	Expect leadroute.PlanID `json:"expect,omitempty"`
	// Now puts the policy into force at once, also where its rollout says otherwise.
	Now bool `json:"now,omitempty"`
}

// Order names a plan, for a rollback (empty: the one before), or says why.
type Order struct {
	Plan   leadroute.PlanID `json:"plan,omitempty"`
	Reason string           `json:"reason,omitempty"`
}

// Applied says what became of a change.
type Applied struct {
	Plan leadroute.PlanID `json:"plan"`
	What string           `json:"what"` // enforced, tried, withdrawn
	// Before is the plan that was in force.
	Before leadroute.PlanID `json:"before,omitempty"`
	// Running tells whether the instance that was asked routes by it already.
	Running bool `json:"running"`
}

// patience is how long an answer waits for this instance to follow.
const patience = 5 * time.Second

// maxBody bounds an application in bytes; the log's own bound is below.
const maxBody = 32 << 20

// Routes adds the API to mux; who may call it is up to whoever serves the mux.
//
//	GET  /v1/policies                  what is in force, what is tried, and how that came to be
//	GET  /v1/policies/{id}             a policy's source; current is the one in force
//	POST /v1/policies/apply            an Application
//	POST /v1/policies/rollback         an Order: back to the plan before, or to a named one
//	POST /v1/policies/promote          put the plan that is tried into force
//	POST /v1/policies/withdraw         an Order: take the plan that is tried back
//
// 409 says that the policy in force has changed meanwhile, 422 what is wrong with a policy.
func (a *API) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/policies", a.list)
	mux.HandleFunc("GET /v1/policies/{id}", a.show)
	change := func(name string, do func(context.Context, *http.Request, Standing) (Applied, error)) {
		mux.HandleFunc("POST /v1/policies/"+name, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
			defer cancel()
			s, _ := a.Policies.Standing()
			done, err := do(ctx, r, s)
			if err != nil {
				fail(w, err)
				return
			}
			done.Before = s.Current
			done.Running = a.followed(ctx)
			reply(w, http.StatusOK, "application/json", done)
		})
	}
	change("apply", a.apply)
	change("rollback", a.rollback)
	change("promote", a.promote)
	change("withdraw", a.withdraw)
}

func (a *API) list(w http.ResponseWriter, _ *http.Request) {
	s, _ := a.Policies.Standing()
	reply(w, http.StatusOK, "application/json", View{s, a.Running()})
}

func (a *API) show(w http.ResponseWriter, r *http.Request) {
	id := leadroute.PlanID(r.PathValue("id"))
	if id == leadroute.PolicyCurrent {
		s, _ := a.Policies.Standing()
		id = s.Current
	}
	p, err := a.Policies.Source(r.Context(), id)
	switch {
	case err != nil:
		fail(w, err)
	case p == nil:
		fail(w, unknown(id))
	default:
		reply(w, http.StatusOK, "application/json", p)
	}
}

func (a *API) apply(ctx context.Context, r *http.Request, s Standing) (Applied, error) {
	var in Application
	if err := read(r, &in); err != nil {
		return Applied{}, err
	}
	if in.Expect != "" && in.Expect != s.Current {
		return Applied{}, ErrMoved
	}
	p, source, err := a.Vet(ctx, in.Source)
	if err != nil {
		return Applied{}, err
	}
	done := Applied{Plan: p.ID, What: Enforced}
	if p.ID == s.Current && s.Candidate == "" {
		return done, nil
	}
	if s.Candidate != "" && !in.Now {
		return done, &problemError{http.StatusConflict, fmt.Sprintf("plan %s is being tried; promote it or take it back first (leadroute policies promote, or withdraw)", s.Candidate), nil}
	}
	if err := a.Policies.Publish(ctx, p.ID, p.Name, source); err != nil {
		return done, err
	}
	if o := p.Rollout; !in.Now && o != nil && o.Mode != plan.RolloutAll {
		done.What = Tried
		return done, a.Policies.Try(ctx, p.ID, s.Current, ByApply)
	}
	return done, a.Policies.Enforce(ctx, p.ID, s.Current, ByApply, "")
}

func (a *API) rollback(ctx context.Context, r *http.Request, s Standing) (Applied, error) {
	var in Order
	if err := read(r, &in); err != nil {
		return Applied{}, err
	}
	if in.Plan == "" {
		if in.Plan = s.Before(); in.Plan == "" {
			return Applied{}, &problemError{http.StatusConflict, "no other plan was in force before", nil}
		}
	}
	p, err := a.Policies.Source(ctx, in.Plan)
	if err != nil {
		return Applied{}, err
	}
	if p == nil {
		return Applied{}, unknown(in.Plan)
	}
	return Applied{Plan: in.Plan, What: Enforced}, a.Policies.Enforce(ctx, in.Plan, s.Current, ByRollback, in.Reason)
}

func (a *API) promote(ctx context.Context, r *http.Request, s Standing) (Applied, error) {
	var in Order
	if err := read(r, &in); err != nil {
		return Applied{}, err
	}
	if s.Candidate == "" {
		return Applied{}, errNotTried
	}
	return Applied{Plan: s.Candidate, What: Enforced}, a.Policies.Promote(ctx, s.Candidate, s.Current, ByApply, in.Reason)
}

func (a *API) withdraw(ctx context.Context, r *http.Request, s Standing) (Applied, error) {
	var in Order
	if err := read(r, &in); err != nil {
		return Applied{}, err
	}
	if s.Candidate == "" {
		return Applied{}, errNotTried
	}
	return Applied{Plan: s.Candidate, What: Withdrawn}, a.Policies.Withdraw(ctx, s.Candidate, ByApply, in.Reason)
}

// followed waits a moment for this instance to route by what the log says.
func (a *API) followed(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		s, _ := a.Policies.Standing()
		r := a.Running()
		if r.Refused == "" && r.Current == s.Current && r.Candidate == s.Candidate {
			return true
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
}

// problemError is an answer that says no.
type problemError struct {
	status   int
	detail   string
	findings any
}

func (p *problemError) Error() string { return p.detail }

var errNotTried = &problemError{http.StatusConflict, "no plan is being tried", nil}

func unknown(id leadroute.PlanID) error {
	return &problemError{http.StatusNotFound, fmt.Sprintf("there is no policy %s; leadroute policies list shows them", id), nil}
}

func read(r *http.Request, into any) error {
	if err := json.NewDecoder(r.Body).Decode(into); err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return &problemError{http.StatusRequestEntityTooLarge, ErrTooLarge.Error(), nil}
		}
		return &problemError{http.StatusBadRequest, "the body is not the JSON object that this route takes", nil}
	}
	return nil
}

func fail(w http.ResponseWriter, err error) {
	p, ok := errors.AsType[*problemError](err)
	if !ok {
		switch refused, is := errors.AsType[*Refusal](err); {
		case is:
			p = &problemError{http.StatusUnprocessableEntity, refused.Detail, refused.Findings}
		case errors.Is(err, ErrMoved):
			p = &problemError{http.StatusConflict, ErrMoved.Error() + "; look at what would change now: leadroute plan live POLICY", nil}
		case errors.Is(err, ErrTooLarge):
			p = &problemError{http.StatusRequestEntityTooLarge, err.Error(), nil}
		default:
			w.Header().Set("Retry-After", "2")
			p = &problemError{http.StatusServiceUnavailable, "the log of policies does not answer", nil}
		}
	}
	body := map[string]any{"type": "about:blank", "title": http.StatusText(p.status), "status": p.status, "detail": p.detail}
	if p.findings != nil {
		body["findings"] = p.findings
	}
	reply(w, p.status, "application/problem+json", body)
}

func reply(w http.ResponseWriter, status int, kind string, v any) {
	w.Header().Set("Content-Type", kind)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller has hung up: nobody to tell
}
