package taler

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
)

const contentType = "application/json"

// ReadBody reads the body of a request: application/json in UTF-8 (415), at most
// [MaxRequest] bytes (413). The error is an [*Error], or that of a broken
// connection.
func ReadBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset, named := params["charset"]
	if err != nil || kind != contentType || named && !strings.EqualFold(charset, "utf-8") || r.Header.Get("Content-Encoding") != "" {
		return nil, &Error{http.StatusUnsupportedMediaType, "body", "not " + contentType + " in UTF-8"}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxRequest))
	var long *http.MaxBytesError
	if errors.As(err, &long) {
		return nil, tooLarge(MaxRequest)
	}
	if err != nil {
		return nil, fmt.Errorf("read request: %w", err)
	}
	return body, nil
}

// WriteMessage answers with a message. The error says that the message is not valid,
// and nothing was written then, or that the connection broke.
func WriteMessage(w http.ResponseWriter, status int, m Message) error {
	body, err := Encode(m)
	if err != nil {
		return err
	}
	return WriteJSON(w, status, body)
}

// WriteJSON answers with JSON that was kept: a contract's text, a mint's proof.
func WriteJSON(w http.ResponseWriter, status int, body []byte) error {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	if _, err := w.Write(body); err != nil {
		return fmt.Errorf("write answer: %w", err)
	}
	return nil
}

// Methods serves the methods named and answers 405 with Allow to others. HEAD is not
// GET here (§1).
func Methods(h http.Handler, allow ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slices.Contains(allow, r.Method) {
			h.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Allow", strings.Join(allow, ", "))
		e := &Error{http.StatusMethodNotAllowed, "method", "not served here"}
		if err := WriteMessage(w, e.Status, e); err != nil {
			panic(http.ErrAbortHandler) // the connection is gone
		}
	})
}
