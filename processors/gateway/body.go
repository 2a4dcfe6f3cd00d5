package gateway

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync"
)

const (
	typeJSON   = "application/json"
	typeNDJSON = "application/x-ndjson"
)

var (
	buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}
	gunzips = sync.Pool{New: func() any { return new(gzip.Reader) }}
)

// maxPooled is the largest buffer that is kept for the next request.
const maxPooled = 256 << 10

// contentType returns which of the allowed types the body has; none said means JSON.
func contentType(r *http.Request, allowed ...string) (string, *problem) {
	h := r.Header.Get("Content-Type")
	if h == "" || h == typeJSON {
		return typeJSON, nil
	}
	want := strings.Join(allowed, " or ")
	t, params, err := mime.ParseMediaType(h)
	if cs := params["charset"]; err == nil && (cs == "" || strings.EqualFold(cs, "utf-8")) {
		for _, a := range allowed {
			if t == a {
				return a, nil
			}
		}
	}
	return "", refusal(http.StatusUnsupportedMediaType, "media_type",
		"the body's Content-Type is not one that is read here", "send Content-Type: "+want+", in UTF-8")
}

// readBody reads the body, unpacked if it is gzip, into a pooled buffer; the caller
// gives it back with free. More than limit bytes, before or after unpacking, are refused.
func readBody(w http.ResponseWriter, r *http.Request, limit int) (*bytes.Buffer, *problem) {
	tooLarge := func() *problem {
		return refusal(http.StatusRequestEntityTooLarge, codeTooLarge,
			fmt.Sprintf("the body is larger than %d bytes", limit), "send fewer or smaller leads at once")
	}
	if r.ContentLength > int64(limit) {
		// Unread as it is, the body ends the connection.
		w.Header().Set("Connection", "close")
		return nil, tooLarge()
	}
	var src io.Reader = http.MaxBytesReader(w, r.Body, int64(limit))
	switch enc := r.Header.Get("Content-Encoding"); {
	case enc == "" || strings.EqualFold(enc, "identity"):
	case strings.EqualFold(enc, "gzip"):
		gz, _ := gunzips.Get().(*gzip.Reader)
		defer gunzips.Put(gz)
		if err := gz.Reset(src); err != nil {
			return nil, unreadable(err, tooLarge)
		}
		src = io.LimitReader(gz, int64(limit)+1)
	default:
		w.Header().Set("Accept-Encoding", "gzip")
		return nil, refusal(http.StatusUnsupportedMediaType, "content_encoding",
			"the body's Content-Encoding is not one that is read here", "send the body plain or with Content-Encoding: gzip")
	}
	buf, _ := buffers.Get().(*bytes.Buffer)
	buf.Reset()
	if _, err := buf.ReadFrom(src); err != nil {
		free(buf)
		return nil, unreadable(err, tooLarge)
	}
	if buf.Len() > limit {
		free(buf)
		return nil, tooLarge()
	}
	return buf, nil
}

func unreadable(err error, tooLarge func() *problem) *problem {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return tooLarge()
	}
	return refusal(http.StatusBadRequest, "body", "the body could not be read to its end", "send the whole body again")
}

func free(b *bytes.Buffer) {
	if b.Cap() <= maxPooled {
		buffers.Put(b)
	}
}
