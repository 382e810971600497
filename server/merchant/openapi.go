package merchant

import (
	_ "embed"
	"net/http"

	"till/protocol/taler"
)

//go:embed openapi.json
var document []byte

func (d *Door) openapi(w http.ResponseWriter, r *http.Request) {
	d.wrote(r, taler.WriteJSON(w, http.StatusOK, document))
}
