package rpc

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
)

// firstBuffer is how much is read at first of a body whose length is not told.
const firstBuffer = 4 << 10

// body reads the JSON body of a POST of at most so many bytes, or refuses it.
// Whoever takes it wipes it.
func (d *Door) body(w http.ResponseWriter, r *http.Request, most int64) ([]byte, bool) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		refuse(w, http.StatusMethodNotAllowed, "use POST")
		return nil, false
	}
	if r.ContentLength > most {
		refuse(w, http.StatusRequestEntityTooLarge, "the request is too large")
		return nil, false
	}
	if !isJSON(r.Header) {
		refuse(w, http.StatusUnsupportedMediaType, "send application/json")
		return nil, false
	}
	text, err := read(http.MaxBytesReader(w, r.Body, most), r.ContentLength)
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		refuse(w, http.StatusRequestEntityTooLarge, "the request is too large")
		return nil, false
	case err != nil:
		refuse(w, http.StatusBadRequest, "the body could not be read")
		return nil, false
	}
	return text, true
}

// read reads to the end; length is what the client announced, −1 nothing. It
// leaves no copy behind: what is outgrown is wiped, and all of it on an error.
func read(from io.Reader, length int64) ([]byte, error) {
	size := int64(firstBuffer)
	if length >= 0 {
		size = length + 1 // so that the end is found without growing
	}
	text := make([]byte, 0, size)
	for {
		if len(text) == cap(text) {
			grown := append(make([]byte, 0, 2*cap(text)), text...)
			clear(text)
			text = grown
		}
		n, err := from.Read(text[len(text):cap(text)])
		text = text[:len(text)+n]
		if err == io.EOF {
			return text, nil
		}
		if err != nil {
			clear(text)
			return nil, err
		}
	}
}

// isJSON reports whether the head announces JSON as it stands: one content type,
// no other charset, no coding.
func isJSON(h http.Header) bool {
	const plain = "application/json"
	types := h["Content-Type"]
	if len(types) != 1 || len(h["Content-Encoding"]) > 0 {
		return false
	}
	if types[0] == plain {
		return true
	}
	kind, params, err := mime.ParseMediaType(types[0])
	charset, given := params["charset"]
	return err == nil && kind == plain && (!given || strings.EqualFold(charset, "utf-8"))
}

func get(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet {
		return true
	}
	w.Header().Set("Allow", http.MethodGet)
	refuse(w, http.StatusMethodNotAllowed, "use GET")
	return false
}
