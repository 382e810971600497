package sim

// What a printer says of itself, bit by bit (Epson: DLE EOT, GS a, GS r, GS I).

// realTime executes a real-time command whose last byte has just arrived.
func (p *Printer) realTime() {
	const longest = 10 // DLE DC4 8 and its seven parameters
	if extra := len(p.arrival) - longest; extra > 0 {
		p.arrival = append(p.arrival[:0], p.arrival[extra:]...)
	}
	a := p.arrival
	if n := len(a); n >= 3 && a[n-3] == 0x10 {
		switch {
		case a[n-2] == 0x04 && a[n-1] >= 1 && a[n-1] <= 4:
			if p.model.answers {
				p.say(p.realTimeStatus(a[n-1]))
			}
		case a[n-2] == 0x05 && (a[n-1] == 1 || a[n-1] == 2):
			p.recoverError(a[n-1] == 2)
		}
	}
	if n := len(a); n >= 5 && a[n-5] == 0x10 && a[n-4] == 0x14 && a[n-3] == 1 && a[n-2] <= 1 && a[n-1] >= 1 && a[n-1] <= 8 {
		if p.model.kick && p.trouble == NoTrouble {
			p.pulse()
		}
	}
}

// recoverError is DLE ENQ: it acts only in a recoverable error, the cutter's
// being one.
func (p *Printer) recoverError(clear bool) {
	if p.trouble != RecoverableTrouble && p.trouble != CutterTrouble || p.coverOpen {
		return
	}
	p.trouble = NoTrouble
	if clear {
		p.buffer, p.incoming = nil, lexer{}
		p.executor = newExecutor(p.model)
	}
}

func (p *Printer) realTimeStatus(n byte) byte {
	b := byte(0x12)
	set := func(bit byte, when bool) {
		if when {
			b |= bit
		}
	}
	switch n {
	case 1:
		set(0x04, p.drawerOpen)
		set(0x08, p.blocked())
	case 2:
		set(0x04, p.coverOpen)
		set(0x20, p.paper == PaperOut)
		set(0x40, p.trouble != NoTrouble)
	case 3:
		set(0x08, p.trouble == CutterTrouble)
		set(0x20, p.trouble == FatalTrouble)
		set(0x40, p.trouble == RecoverableTrouble)
	case 4:
		set(0x0C, p.paper != PaperIn)
		set(0x60, p.paper == PaperOut)
	}
	return b
}

func (p *Printer) automaticStatus() [4]byte {
	s := [4]byte{0x10, 0, 0, 0x0F}
	set := func(i int, bit byte, when bool) {
		if when {
			s[i] |= bit
		}
	}
	set(0, 0x04, p.drawerOpen)
	set(0, 0x08, p.blocked())
	set(0, 0x20, p.coverOpen)
	set(1, 0x08, p.trouble == CutterTrouble)
	set(1, 0x20, p.trouble == FatalTrouble)
	set(1, 0x40, p.trouble == RecoverableTrouble)
	set(2, 0x03, p.paper != PaperIn)
	set(2, 0x0C, p.paper == PaperOut)
	return s
}

// setAutomatic is GS a: any bit turns it on, and the status comes at once.
func (p *Printer) setAutomatic(n byte) {
	if !p.model.automatic {
		return
	}
	if p.automatic = n; n != 0 {
		p.told = p.automaticStatus()
		p.say(p.told[:]...)
	}
}

// tellChanges sends automatic status when it is on and something changed.
func (p *Printer) tellChanges() {
	if now := p.automaticStatus(); p.automatic != 0 && now != p.told {
		p.told = now
		p.say(now[:]...)
	}
}

// transmitStatus is GS r: 1 or "1" the paper, 2 or "2" the drawer.
func (p *Printer) transmitStatus(n byte) {
	if !p.model.jobs {
		return
	}
	var b byte
	switch n {
	case 1, '1':
		if p.paper != PaperIn {
			b |= 0x03
		}
		if p.paper == PaperOut {
			b |= 0x0C
		}
	case 2, '2':
		if p.drawerOpen {
			b |= 0x01
		}
	default:
		return
	}
	p.say(b)
}

// identify is GS I: 66 the maker, 67 the model, as a block of text.
func (p *Printer) identify(n byte) {
	text := ""
	switch n {
	case 0x42:
		text = p.model.maker
	case 0x43:
		text = p.model.name
	}
	if text != "" {
		p.say(append(append([]byte{0x5F}, text...), 0)...)
	}
}
