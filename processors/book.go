package processors

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/dsl/plan"
	"github.com/leadroute/leadroute/processors/company"
	"github.com/leadroute/leadroute/processors/stream"
)

// book is the accounts as this instance sees them: the view of the table and, where a policy
// finds accounts by name, the index of their names.
type book struct {
	view *stream.View[leadroute.Account]
	log  *slog.Logger
	// building is fed with every row that changes; names is the same once it is complete.
	building, names atomic.Pointer[company.Index]
	feed            sync.Mutex // one row at a time, so that an old one does not replace a newer
	wanted          chan struct{}
}

func newBook(cfg stream.Config, current *plan.Plan) (*book, error) {
	b := &book{log: cfg.Log, wanted: make(chan struct{}, 1)}
	if b.log == nil {
		b.log = slog.Default()
	}
	if byName(current) { // the ledger starts when the view is there, and so is the index
		b.building.Store(company.NewIndex())
		b.names.Store(b.building.Load())
	}
	var err error
	b.view, err = stream.NewView(cfg, leadroute.TopicAccounts, func(domain string, a *leadroute.Account) {
		if x := b.building.Load(); x != nil {
			b.feed.Lock()
			defer b.feed.Unlock()
			setNames(x, domain, a)
		}
	})
	return b, err
}

func byName(p *plan.Plan) bool {
	return p != nil && p.Accounts != nil && slices.Contains(p.Accounts.By, plan.ByName)
}

func setNames(x *company.Index, domain string, a *leadroute.Account) {
	if a == nil {
		x.Set(domain)
		return
	}
	x.Set(domain, append([]string{a.Name}, a.Aliases...)...)
}

// Find looks the account of a lead up.
func (b *book) Find(p *plan.Plan, l *leadroute.Lead) (*leadroute.Account, *plan.Found) {
	book := company.Book{Row: b.view.Get, Names: b.names.Load()}
	return book.Find(p, l)
}

// serve has the index of the names built if one of the plans needs it and it is not there.
func (b *book) serve(plans ...*plan.Plan) {
	if b.building.Load() == nil && slices.ContainsFunc(plans, byName) {
		select {
		case b.wanted <- struct{}{}:
		default:
		}
	}
}

// run builds the index of the names when it is wanted, until ctx ends. Until it is complete
// nothing is found by name.
func (b *book) run(ctx context.Context) error {
	for {
		select {
		case <-b.wanted:
		case <-ctx.Done():
			return nil
		}
		if b.building.Load() != nil {
			continue
		}
		b.log.Info("accounts are being indexed by name: until that is done none is found by name")
		x := company.NewIndex()
		b.building.Store(x)
		for domain := range b.view.Keys {
			if ctx.Err() != nil {
				return nil
			}
			b.feed.Lock()
			setNames(x, domain, b.view.Get(domain)) // as it is now
			b.feed.Unlock()
		}
		b.names.Store(x)
		b.log.Info("accounts are indexed by name", "names", x.Len())
	}
}
