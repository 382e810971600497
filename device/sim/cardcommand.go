package sim

// Replies and conditions (MSR605 Programmer's Manual, sections 6 and 7).
const (
	esc          = 0x1B
	fs           = 0x1C
	cardGood     = '0'
	cardFailed   = '1'
	cardFormat   = '2'
	cardUnknown  = '4'
	cardBadSwipe = '9'
	cardRefused  = 'A'
)

// longestCommand bounds what is kept of a command that does not end.
const longestCommand = 1024

// receive takes bytes from the host.
func (r *CardReader) receive(data []byte) {
	for _, b := range data {
		r.in = append(r.in, r.damaged(b))
		for r.step() {
		}
	}
}

// step executes the command at the head of what came, if it is whole.
func (r *CardReader) step() bool {
	for len(r.in) > 0 && r.in[0] != esc {
		r.in = r.in[1:]
	}
	if len(r.in) < 2 {
		return false
	}
	command, size := r.in[1], 2
	switch command {
	case 'b', 'c':
		size = 3
	case 'z':
		size = 4
	case 'o':
		size = 5
	case 'w', 'n':
		return r.takeBlock(command == 'n')
	}
	if len(r.in) < size {
		return false
	}
	arguments := r.in[2:size]
	r.in = r.in[size:]
	switch {
	case command == 'a':
		r.waiting = 0
	case r.waiting != 0: // until a swipe or a reset it hears nothing else
	default:
		r.execute(command, arguments)
	}
	return true
}

func (r *CardReader) execute(command byte, arguments []byte) {
	switch command {
	case 'r', 'm', 0x86:
		r.waiting = command
	case 'c':
		r.waiting, r.erase = command, arguments[0]
		if r.erase > 7 {
			r.waiting = 0
			r.say(esc, cardRefused)
		}
	case 'e':
		r.say(esc, 'y')
	case 'x', 'y':
		r.hi = command == 'x'
		r.say(esc, cardGood)
	case 'd':
		letter := r.model.letters[1]
		if r.hi {
			letter = r.model.letters[0]
		}
		r.say(esc, letter)
	case 't':
		r.say(esc, r.model.model, 'S')
	case 'v':
		r.say(append([]byte{esc}, r.model.firmware...)...)
	case 'l':
		r.say(esc, byte(r.zeros[0]), byte(r.zeros[1]))
	case 'z':
		r.zeros = [3]int{int(arguments[0]), int(arguments[1]), int(arguments[0])}
		r.say(esc, cardGood)
	case 'b':
		r.density(arguments[0])
	case 'o':
		r.setBits(arguments)
	case 0x81, 0x82, 0x83, 0x84, 0x85:
		r.lamps = [...]byte{0, 7, r.lamps | 1, r.lamps | 2, r.lamps | 4}[command-0x81]
	case 0x87:
		r.say(esc, cardGood)
	default:
		r.say(esc, cardUnknown)
	}
}

// density knows the values of the standard and the other one of each track.
func (r *CardReader) density(d byte) {
	switch d {
	case 0xA0, 0xA1, 0x4B, 0xD2, 0xC0, 0xC1:
		r.say(esc, cardGood)
	default:
		r.say(esc, cardRefused)
	}
}

func (r *CardReader) setBits(bits []byte) {
	for _, b := range bits {
		if b < 5 || b > 8 {
			r.say(esc, cardRefused)
			return
		}
	}
	r.bits = [3]int{int(bits[0]), int(bits[1]), int(bits[2])}
	r.say(esc, cardGood, bits[0], bits[1], bits[2])
}

// takeBlock executes a write command once its data block is whole:
//
//	1B 73 1B 01 t1 1B 02 t2 1B 03 t3 3F 1C
//
// with a length byte before each track when raw.
func (r *CardReader) takeBlock(raw bool) bool {
	rest := r.in[2:]
	var tracks [3][]byte
	take := func(want ...byte) (ok, more bool) {
		for _, w := range want {
			if len(rest) == 0 {
				return false, true
			}
			if rest[0] != w {
				return false, false
			}
			rest = rest[1:]
		}
		return true, false
	}
	ok, more := take(esc, 's')
	for i := 0; ok && i < len(tracks); i++ {
		if ok, more = take(esc, byte(i+1)); !ok {
			break
		}
		size := dataLength(rest, raw, i == len(tracks)-1)
		if raw && len(rest) > 0 {
			rest = rest[1:]
		}
		if size < 0 || size > len(rest) {
			ok, more = false, true
			break
		}
		tracks[i], rest = rest[:size], rest[size:]
	}
	if ok {
		ok, more = take('?', fs)
	}
	switch {
	case more && len(r.in) <= longestCommand:
		return false
	case !ok && r.breakOff(len(r.in)-len(rest)):
		return true
	case !ok:
		r.in = nil
		r.say(esc, cardFormat)
		return true
	}
	r.in = rest
	if r.waiting == 0 {
		r.arm(raw, tracks)
	}
	return true
}

// breakOff drops a block in which another command begins, at the byte that is
// not in its place or just before it.
func (r *CardReader) breakOff(at int) bool {
	if at < len(r.in) && r.in[at] != esc {
		at--
	}
	if at >= len(r.in) || r.in[at] != esc {
		return false
	}
	r.in = r.in[at:]
	return true
}

// dataLength is the length of a track's data at the head of rest, -1 while it
// cannot be told.
func dataLength(rest []byte, raw, last bool) int {
	if raw {
		if len(rest) == 0 {
			return -1
		}
		return int(rest[0])
	}
	for i, b := range rest {
		switch {
		case b == esc:
			return i
		case last && b == '?' && i+1 < len(rest) && rest[i+1] == fs:
			return i
		}
	}
	return -1
}

// arm makes ready to write.
func (r *CardReader) arm(raw bool, tracks [3][]byte) {
	for i, data := range tracks {
		r.write[i] = nil
		if len(data) == 0 {
			continue
		}
		bits := rawIn(data, r.bits[i])
		if !raw {
			var err error
			if bits, err = encodeTrack(i, string(data)); err != nil {
				r.say(esc, cardFormat)
				return
			}
		}
		bits = append(make([]bool, r.zeros[i]), bits...)
		r.write[i] = bits[:min(len(bits), stripeBits[i])]
	}
	r.waiting = 'w'
}

// swipe pulls the card past the head.
func (r *CardReader) swipe(how Swipe) {
	command := r.waiting
	r.waiting = 0
	switch command {
	case 'r', 'm':
		r.fresh = false
		r.readCard(command == 'm', how)
	case 'w':
		r.fresh = true
		r.writeCard(how)
	case 'c':
		r.eraseCard(how)
	case 0x86:
		r.say(esc, cardGood)
	}
}

func (r *CardReader) readCard(raw bool, how Swipe) {
	answer := []byte{esc, 's'}
	anything, failed := false, how == BadSwipe
	for i, stripe := range r.card.tracks {
		if how == HalfSwipe {
			stripe = stripe[:len(stripe)/2]
		}
		anything = anything || len(fromFirstOne(stripe)) > 0
		answer = append(answer, esc, byte(i+1))
		if raw {
			data := rawOut(stripe, r.bits[i])
			if how == BadSwipe {
				data = nil
			}
			answer = append(append(answer, byte(len(data))), data...)
			continue
		}
		text, ok := decodeTrack(i, stripe, r.bits[i])
		switch {
		case !ok || text != "" && how == BadSwipe:
			failed = true
			answer = append(answer, esc, 0x2A)
		case text == "" && r.model.mark:
			answer = append(answer, esc, 0x2B)
		default:
			answer = append(answer, text...)
		}
	}
	status := byte(cardGood)
	switch {
	case failed:
		status = cardFailed
	case !anything:
		status = r.model.empty
	}
	r.say(append(answer, '?', fs, esc, status)...)
}

// writeCard writes the stripe. A head of the wrong strength leaves a strong
// stripe as it was and a weak one as noise; the reader sees that nothing it wrote
// is there.
func (r *CardReader) writeCard(how Swipe) {
	status := byte(cardGood)
	switch {
	case how == BadSwipe:
		status = cardBadSwipe
	case r.hi != r.card.hi:
		status = cardFailed
		if r.hi {
			for i := range r.card.tracks {
				r.card.tracks[i] = rawIn([]byte{0xFF, 0x81, 0xFF}, 8)
			}
		}
	default:
		for i, stripe := range r.write {
			if how == HalfSwipe {
				status, stripe = cardBadSwipe, stripe[:len(stripe)/2]
			}
			r.card.tracks[i] = stripe
		}
	}
	r.say(esc, status)
}

func (r *CardReader) eraseCard(how Swipe) {
	if how != GoodSwipe || r.hi != r.card.hi {
		r.say(esc, cardRefused)
		return
	}
	for i := range r.card.tracks {
		if r.erase>>i&1 == 1 || r.erase == 0 && i == 0 {
			r.card.tracks[i] = nil
		}
	}
	r.say(esc, cardGood)
}
