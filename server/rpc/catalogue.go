package rpc

import (
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"

	"till/protocol"
)

// catalogue answers with the goods as they are now, whatever version is asked
// for: a terminal asks for the one its configuration names, and a newer one is
// better than none.
func (d *Door) catalogue(w http.ResponseWriter, r *http.Request) {
	if asked := r.URL.Query()["version"]; len(asked) > 0 {
		if _, err := strconv.ParseUint(asked[0], 10, 53); err != nil || len(asked) > 1 {
			refuse(w, http.StatusBadRequest, "version must be a number")
			return
		}
	}
	goods, err := d.o.Server.Catalogue(r.Context())
	if err != nil {
		d.fail(w, r, "catalogue", err)
		return
	}
	text, err := protocol.Encode(goods)
	if err != nil {
		d.fail(w, r, "catalogue", err)
		return
	}
	w.Header().Set("Vary", "Accept-Encoding")
	if !takesGzip(r.Header.Get("Accept-Encoding")) {
		answer(w, http.StatusOK, text)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Encoding", "gzip")
	z := gzip.NewWriter(w)
	_, _ = z.Write(text) // the client may have left
	_ = z.Close()
}

// takesGzip reads Accept-Encoding (RFC 9110 §12.5.3); a weight of 0 refuses.
func takesGzip(accept string) bool {
	for choice := range strings.SplitSeq(accept, ",") {
		coding, weight, _ := strings.Cut(choice, ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			q, weighed := strings.CutPrefix(strings.TrimSpace(weight), "q=")
			return !weighed || strings.Trim(q, "0.") != ""
		}
	}
	return false
}
