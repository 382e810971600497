package escpos

import "till/device"

// The commands, named as in Epson's guide.
const (
	dle = 0x10
	esc = 0x1B
	fs  = 0x1C
	gs  = 0x1D
	eot = 0x04
	enq = 0x05
	dc4 = 0x14
	lf  = 0x0A
)

var (
	initialise  = []byte{esc, '@'}
	automatic   = []byte{gs, 'a', 0xFF} // everything, at every change
	singleBytes = []byte{fs, '.'}
	maker       = []byte{gs, 'I', 0x42}
	model       = []byte{gs, 'I', 0x43}
	jobEnd      = []byte{gs, 'r', 1}
	recoverOn   = []byte{dle, enq, 1}
)

// Greeting mends with as many zeros as the longest command may lack: in a length
// they are nothing more to come, in a picture white, elsewhere ignored. Then the
// line is fed, because ESC @ would throw it away, and the printer selected. The
// hello turns automatic status on and asks for maker, model and, like a job's
// end, the paper status.
func (l Language) Greeting() (mend, hello []byte) {
	mend = append(make([]byte, maxChunk), lf, esc, '=', 1)
	var b []byte
	if l.profile.status {
		b = append(b, automatic...)
	}
	if l.profile.names {
		b = append(append(b, maker...), model...)
	}
	return mend, append(b, jobEnd...)
}

// Recover is DLE ENQ 1: print on from where the error was.
func (Language) Recover() []byte { return recoverOn }

// Questions are DLE EOT 1 to 4.
func (l Language) Questions() ([]device.Question, bool) { return questions, l.profile.must }

var questions = []device.Question{
	{Ask: []byte{dle, eot, 1}, Judge: judge(bits{0x08: device.IsOffline, 0x04: device.IsDrawerPinHigh})},
	{Ask: []byte{dle, eot, 2}, Judge: judge(bits{0x04: device.IsCoverOpen, 0x20: device.IsPaperEnd, 0x40: device.IsRecoverable})},
	{Ask: []byte{dle, eot, 3}, Judge: judge(bits{0x04: device.IsMechanical, 0x08: device.IsCutterJam, 0x20: device.IsFatal, 0x40: device.IsRecoverable})},
	{Ask: []byte{dle, eot, 4}, Judge: judge(bits{0x0C: device.IsPaperNearEnd, 0x60: device.IsPaperEnd})},
}

// bits says what the bits of a status byte mean; of a mask of several, any.
type bits map[byte]device.Condition

func (m bits) read(b byte) (about, set device.Condition) {
	for mask, condition := range m {
		about |= condition
		if b&mask != 0 {
			set |= condition
		}
	}
	return about, set
}

func judge(m bits) func(byte) (about, set device.Condition) { return m.read }

// Job encodes the document for this printer; see device.Language. Chunks are
// whole commands.
func (l Language) Job(d device.Document) (chunks [][]byte, end []byte, err error) {
	e := encoder{profile: l.profile}
	if paper(d) {
		e.begin()
	}
	for _, part := range d {
		if err := e.part(part); err != nil {
			return nil, nil, err
		}
	}
	if l.profile.end {
		end = jobEnd
	}
	return e.chunks, end, nil
}

// paper tells whether a document has anything for paper.
func paper(d device.Document) bool {
	for _, part := range d {
		switch part.(type) {
		case device.Pulse, device.Beep, device.Raw:
		default:
			return true
		}
	}
	return false
}
