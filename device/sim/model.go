package sim

import "fmt"

// model is what kind of printer is simulated.
type model struct {
	dots      int
	answers   bool // DLE EOT
	automatic bool // GS a
	jobs      bool // GS r
	qr        bool // GS ( k
	barcodes  bool // GS k
	cutter    bool
	kick      bool // DLE DC4 1
	twoBytes  bool // starts in two-byte mode, as Chinese printers do
	maker     string
	name      string
}

// The printers. The generic one only prints: it has no way back at all.
var models = map[string]model{
	"auto":          {dots: 512, answers: true, automatic: true, jobs: true, qr: true, barcodes: true, cutter: true, kick: true, maker: "EPSON", name: "TM-T88V"},
	"epson-80":      {dots: 512, answers: true, automatic: true, jobs: true, qr: true, barcodes: true, cutter: true, kick: true, maker: "EPSON", name: "TM-T88V"},
	"epson-80-wide": {dots: 576, answers: true, automatic: true, jobs: true, qr: true, barcodes: true, cutter: true, kick: true, maker: "EPSON", name: "TM-T20III"},
	"clone-80":      {dots: 576, answers: true, automatic: true, jobs: true, qr: true, barcodes: true, cutter: true, twoBytes: true},
	"clone-58":      {dots: 384, answers: true, twoBytes: true},
	"generic":       {dots: 384, cutter: true},
}

func modelOf(profile string) (model, error) {
	m, ok := models[profile]
	if !ok {
		return model{}, fmt.Errorf("simulate printer: profile %q is unknown", profile)
	}
	return m, nil
}
