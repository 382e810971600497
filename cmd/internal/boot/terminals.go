package boot

import (
	"context"
	"time"

	"till/protocol"
	"till/server"
)

// TerminalLine is one line of `till terminal list`.
type TerminalLine struct {
	ID               protocol.TerminalID  `json:"id"`
	Name             string               `json:"name"`
	State            server.TerminalState `json:"state"`
	Reason           string               `json:"reason,omitempty"` // why it is suspended or revoked
	LastSeen         *protocol.Time       `json:"last_seen"`        // null never
	Overdue          bool                 `json:"overdue"`          // it was to check in and did not
	Journal          int64                `json:"journal"`
	Alert            int64                `json:"alert"`
	CertificateUntil protocol.Time        `json:"certificate_until"`
	Software         string               `json:"software,omitempty"`
	Devices          []DeviceLine         `json:"devices"`
	Config           int64                `json:"config"`        // version it holds, 0 not known
	ClockDriftS      *int64               `json:"clock_drift_s"` // its clock less the server's; null not known
}

// DeviceLine is one device as its terminal told.
type DeviceLine struct {
	Name  string `json:"name"`
	State string `json:"state"`
	Fault string `json:"fault,omitempty"`
}

func listTerminals(ctx context.Context, s *server.Server, _ struct{}) (any, error) {
	list, err := s.Terminals(ctx)
	lines := []TerminalLine{}
	for _, t := range list {
		lines = append(lines, terminalLine(t))
	}
	return lines, err
}

func terminalLine(t server.TerminalStatus) TerminalLine {
	line := TerminalLine{ID: t.ID, Name: t.Name, State: t.State, Reason: t.Reason, Overdue: t.Overdue, Journal: t.JournalSeq, Alert: t.AlertAck,
		CertificateUntil: t.CertificateUntil, Software: t.Software, Devices: []DeviceLine{}, Config: t.Config}
	if t.LastSeen != 0 {
		line.LastSeen = &t.LastSeen
	}
	for _, d := range t.Devices {
		line.Devices = append(line.Devices, DeviceLine{Name: d.Name, State: string(d.State), Fault: d.Fault})
	}
	if t.Drift != nil {
		seconds := int64(t.Drift.Round(time.Second) / time.Second)
		line.ClockDriftS = &seconds
	}
	return line
}
