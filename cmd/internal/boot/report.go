package boot

import (
	"context"
	"errors"
	"fmt"

	"till/server"
)

// ReportOrder asks for X or Z reports.
type ReportOrder struct {
	Z    bool   `json:"z,omitempty"`
	Date string `json:"date,omitempty"` // 2006-01-02 in the shop's zone, "" now
}

// ShopReports is the answer.
type ShopReports struct {
	Report string `json:"report"`         // x or z
	Date   string `json:"date,omitempty"` // of Z reports and of a day's reading
	Zone   string `json:"zone"`           // of the shop
	server.Reports
	Users map[string]string `json:"users"` // names by id
}

// reports gives readings since the last Z reports, or what belongs to a day.
func reports(ctx context.Context, s *server.Server, o ReportOrder) (any, error) {
	out := ShopReports{Report: "x", Zone: s.Zone().String(), Users: map[string]string{}}
	day, since, until, err := s.Day(o.Date)
	switch {
	case errors.Is(err, server.ErrDate):
		return nil, fmt.Errorf("%w: %w", ErrInput, err)
	case err != nil:
	case o.Z:
		out.Report, out.Date = "z", day
		out.Reports, err = s.ZReports(ctx, since, until)
	case o.Date != "":
		out.Date = day
		out.Reports, err = s.DayReports(ctx, since, until)
	default:
		out.Reports, err = s.Readings(ctx)
	}
	if err != nil {
		return nil, err
	}
	users, err := s.Users(ctx)
	for _, u := range users {
		out.Users[u.ID] = u.Name
	}
	return out, err
}
