package register

// maxEarly bounds the codes that wait for the goods.
const maxEarly = 20

// early takes a code that was scanned before the goods came, which is so only
// right after a terminal was paired: it waits for them.
func (r Register) early(code string) Register {
	r.Note = Said{Why: WhyGoodsComing, Detail: clip(code)}
	if len(r.codes) < maxEarly {
		r.codes = append(r.codes[:len(r.codes):len(r.codes)], code)
	}
	return r
}

// stocked scans the codes that waited, now that there are goods. A customer who
// has gone on to pay meanwhile is not charged for them, nor is the next.
func (r Register) stocked() (Register, []Effect) {
	codes := r.codes
	if len(r.Items) == 0 || len(codes) == 0 {
		return r, nil
	}
	r.codes = nil
	r.Note = Said{}
	var effects []Effect
	for _, code := range codes {
		var also []Effect
		r, also = r.forward(Scanned{code})
		effects = append(effects, also...)
	}
	return r, effects
}
