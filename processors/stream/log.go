package stream

import (
	"context"
	"log/slog"

	"github.com/twmb/franz-go/pkg/kgo"
)

// kgoLog hands franz-go's warnings to slog. Its messages are constants and its key
// values name brokers, topics, partitions and errors, never keys or values of records.
type kgoLog struct{ log *slog.Logger }

func (l kgoLog) Level() kgo.LogLevel {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		return kgo.LogLevelInfo
	}
	return kgo.LogLevelWarn
}

func (l kgoLog) Log(level kgo.LogLevel, msg string, keyvals ...any) {
	// What the client calls a warning it also retries by itself: for an operator it is news
	// only while looking for something.
	to := slog.LevelDebug
	if level == kgo.LogLevelError {
		to = slog.LevelWarn
	}
	l.log.Log(context.Background(), to, msg, keyvals...) //nolint:sloglint // the client's messages are constants
}
