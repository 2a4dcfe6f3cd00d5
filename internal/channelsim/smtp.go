package channelsim

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/mail"
	"strings"
	"sync"
	"time"
)

// ServeMail is a mail server on ln until ctx ends: RFC 5321 without extensions but 8BITMIME,
// in the order that section 4.1.4 wants, with the replies of 4.2.3. It refuses a message without
// the header lines that RFC 5322 wants, From and Date, and those that a recipient needs. It
// closes ln.
func (s *Sim) ServeMail(ctx context.Context, ln net.Listener) error {
	var open sync.WaitGroup
	defer open.Wait()
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
	defer stop()
	for {
		c, err := ln.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("serve mail on %s: %w", ln.Addr(), err)
		}
		open.Go(func() {
			cut := context.AfterFunc(ctx, func() { _ = c.Close() })
			defer cut()
			defer c.Close()
			(&session{s: s, ctx: ctx, in: bufio.NewReader(c), out: c}).serve()
		})
	}
}

// session is one client's.
type session struct {
	s    *Sim
	ctx  context.Context
	in   *bufio.Reader
	out  io.Writer
	said bool // EHLO
	from string
	to   []string
}

func (m *session) say(line string) bool {
	_, err := io.WriteString(m.out, line+"\r\n")
	return err == nil
}

func (m *session) serve() {
	m.say("220 channelsim ESMTP")
	for {
		line, err := m.in.ReadString('\n')
		if err != nil {
			return
		}
		if !m.command(strings.TrimRight(line, "\r\n")) {
			return
		}
	}
}

// command answers one line; false ends the session.
func (m *session) command(line string) bool {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb = strings.ToUpper(verb); {
	case verb == "QUIT":
		m.say("221 bye")
		return false
	case verb == "NOOP", verb == "RSET":
		if verb == "RSET" {
			m.from, m.to = "", nil
		}
		return m.say("250 OK")
	case verb == "EHLO", verb == "HELO":
		m.said, m.from, m.to = true, "", nil
		if verb == "HELO" {
			return m.say("250 channelsim")
		}
		return m.say("250-channelsim\r\n250 8BITMIME")
	case verb == "STARTTLS", verb == "AUTH", verb == "VRFY":
		return m.say("502 command not implemented")
	case !m.said:
		return m.say("503 bad sequence of commands")
	case verb == "MAIL":
		address, ok := path(rest, "FROM:")
		if !ok {
			return m.say("501 syntax error in parameters")
		}
		m.from, m.to = address, nil
		return m.say("250 OK")
	case verb == "RCPT" && m.from != "":
		address, ok := path(rest, "TO:")
		switch {
		case !ok:
			return m.say("501 syntax error in parameters")
		case strings.HasPrefix(address, "nobody@"):
			return m.say("550 no such user here")
		}
		m.to = append(m.to, address)
		return m.say("250 OK")
	case verb == "DATA" && len(m.to) > 0:
		return m.data()
	case verb == "RCPT", verb == "DATA":
		return m.say("503 bad sequence of commands")
	}
	return m.say("500 command unrecognized")
}

// path is the address in FROM:<a@b> with what may follow it.
func path(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	s = strings.TrimSpace(s[len(prefix):])
	end := strings.IndexByte(s, '>')
	if !strings.HasPrefix(s, "<") || end < 0 {
		return "", false
	}
	_, err := mail.ParseAddress(s[1:end])
	return s[1:end], err == nil
}

var errEnd = errors.New("the message does not end")

func (m *session) data() bool {
	if !m.say("354 start mail input; end with <CRLF>.<CRLF>") {
		return false
	}
	raw, err := m.lines()
	if err != nil {
		return false
	}
	got, wrong := m.message(raw)
	if wrong != "" {
		m.s.take("smtp", raw, nil)
		return m.say("554 " + wrong)
	}
	switch m.s.take("smtp", raw, got) {
	case throttled:
		return m.say("451 requested action aborted: try again later")
	case failed:
		m.say("421 service not available, closing")
		return false
	case hung:
		<-m.ctx.Done()
		return false
	case dropped:
		return false
	case served:
	}
	m.from, m.to = "", nil
	return m.say("250 OK: queued")
}

// lines reads to the lone dot, and takes the dots off that the sender doubled.
func (m *session) lines() ([]byte, error) {
	var raw bytes.Buffer
	for raw.Len() < maxBody {
		line, err := m.in.ReadString('\n')
		switch {
		case err != nil:
			return nil, err
		case line == ".\r\n":
			return raw.Bytes(), nil
		}
		raw.WriteString(strings.TrimPrefix(line, "."))
	}
	return nil, errEnd
}

func (m *session) message(raw []byte) (got *Received, wrong string) {
	msg, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return nil, "no header"
	}
	for _, name := range []string{"From", "To", "Subject", "Date", "Message-Id"} {
		if msg.Header.Get(name) == "" {
			return nil, "the header has no " + name
		}
	}
	if _, err := msg.Header.Date(); err != nil {
		return nil, "the date is none"
	}
	for line := range bytes.Lines(raw) {
		if len(line) > 1000 { // RFC 5321, 4.5.3.1.6
			return nil, "line too long"
		}
	}
	body, err := io.ReadAll(msg.Body)
	if err != nil {
		return nil, "no body"
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(msg.Header.Get("Subject"))
	if err != nil {
		return nil, "the subject cannot be read"
	}
	return &Received{
		Service: "email", ID: strings.Trim(msg.Header.Get("Message-Id"), "<>"), To: strings.Join(m.to, ","), Subject: subject,
		Text: strings.ReplaceAll(string(body), "\r\n", "\n"), At: time.Now(),
	}, ""
}
