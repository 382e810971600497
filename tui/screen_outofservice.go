package tui

import (
	"till/device"
	"till/protocol"
	"till/tui/register"
	"till/tui/widget"
)

// outOfServiceKeys: only the staff have something to press.
func outOfServiceKeys() []key { return []key{serviceKey()} }

// outOfService is why a kiosk shows that it is, "" it does not: a sale that is
// open goes on, and so does who is at the service menu.
func (m *model) outOfService() string {
	if m.kiosk == nil || m.serving() || m.reg.Sale != nil || m.reg.Phase == register.Asking || m.key.flow.Busy() || m.sell.flow.Busy() {
		return ""
	}
	return m.unfit()
}

// unfit is why a kiosk could take no sale now, "" it could. It is asked anew at
// every message, so that the kiosk opens again by itself.
func (m *model) unfit() string {
	h := m.facts.health
	switch {
	case h.Tampered != "":
		return m.w.KeyErased
	case h.Revoked:
		return m.w.Revoked
	case h.Suspended != nil:
		return m.w.sentence(h.Suspended.Reason, h.Suspended.Message)
	case m.kiosk.broken != "":
		return m.w.Why[m.kiosk.broken]
	case m.reg.Currency() == "" || m.reg.Shift == "":
		return m.w.KioskOpening
	}
	if why := m.missingDevice(); why != "" {
		return why
	}
	if !h.Online && h.OfflineSince != 0 && m.now.Sub(h.OfflineSince.Time()) > m.kiosk.Offline {
		return m.w.f(m.w.KioskOffline, m.w.clock(m.local(h.OfflineSince)))
	}
	return m.noTender()
}

// missingDevice is the sentence for the first device that is needed and not
// ready. A device that is not there at all, since none is configured, is not.
func (m *model) missingDevice() string {
	for _, name := range m.kiosk.Needs {
		s, there := m.devices.last[name]
		if !there || s.State == device.Ready {
			continue
		}
		if s.Fault == device.NoFault {
			return m.w.Devices[name] + ": " + m.w.DeviceStates[s.State]
		}
		return m.w.Devices[name] + ": " + m.w.fault(s.Fault)
	}
	return ""
}

// noTender is why nothing at all can be taken: what bitcoin lacks.
func (m *model) noTender() string {
	why := ""
	for _, kind := range m.kinds() {
		switch w := m.whyNotKind(kind); {
		case kind == protocol.TenderKey: // pays no sale alone
		case w == "":
			return ""
		case why == "":
			why = w
		}
	}
	if h := m.facts.health; !h.Online && h.OfflineSince == 0 {
		return m.w.KioskOpening // it may come with the first answer
	}
	return why
}

// outOfServiceView says so, readable from afar, and why.
func (m *model) outOfServiceView(f *widget.Frame, a widget.Area) widget.Block {
	body := f.Body(a)
	var lines []widget.Line
	word, why := m.w.KioskOut, m.outOfService()
	if why == m.w.KioskOpening {
		word = m.w.KioskMoment
	}
	for _, text := range []string{why, m.w.KioskOutSoon} {
		for _, l := range widget.Wrap(widget.Text, text, min(body.W-4, 72)) {
			lines = append(lines, l.Align(body.W, widget.Center))
		}
	}
	big := widget.Big(m.theme, widget.Area{W: body.W - 4, H: max(3, body.H-len(lines)-3)}, widget.Warn, word)
	if len(big.Lines) > 1 { // the words for who cannot read pictures of letters
		lines = append([]widget.Line{widget.Warn.Line(word).Align(body.W, widget.Center), nil}, lines...)
	}
	return widget.Stack(body, grow(), placed(big), widget.Gap(1, 1), widget.Fixed(0, widget.Block{Lines: lines}), grow())
}
