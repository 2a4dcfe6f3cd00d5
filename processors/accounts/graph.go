package accounts

import (
	"github.com/leadroute/leadroute"
	"github.com/leadroute/leadroute/processors/stream"
)

// Stage is the accounts stage on the log.
func Stage() stream.Stage[leadroute.Account, leadroute.AccountMessage] {
	return stream.Stage[leadroute.Account, leadroute.AccountMessage]{
		Name: leadroute.TopicAccounts,
		Apply: func(_ stream.Ctx, key string, s *leadroute.Account, m *leadroute.AccountMessage, at leadroute.Millis) (*leadroute.Account, []leadroute.Effect) {
			return Apply(key, s, m, at)
		},
	}
}
