package boot

import (
	"context"
	"fmt"

	"till/cmd/internal/config"
	"till/device"
	"till/device/escpos"
	"till/device/msr605"
)

// CheckDevice opens a configured device by its name and exercises it; unattended
// moves nothing that needs a hand. An error is a fault of the configuration.
// What is not configured is absent.
func CheckDevice(ctx context.Context, c *config.Config, name string, unattended bool) (device.Check, error) {
	url, baud := map[string]string{"printer": c.Printer.URL, "card": c.Card.URL, "scanner": c.Scanner.URL, "display": c.Display.URL}[name], deviceBaud
	behind := name == "display" && c.Display.BehindPrinter
	if behind {
		url = c.Printer.URL
	}
	if name == "printer" || behind {
		baud = printerBaud
	}
	address, err := device.ParseURL(url, baud)
	if err != nil {
		return device.Check{}, fmt.Errorf("%s.url: %w", name, err)
	}
	if address.None {
		return device.Check{Device: name, URL: url, Steps: []device.Step{{What: "configured", Detail: name + ".url is none"}}}, nil
	}
	open := address.Dialer(nil)
	switch name {
	case "printer":
		language, err := escpos.NewLanguage(c.Printer.Profile)
		if err != nil {
			return device.Check{}, fmt.Errorf("printer.profile: %w", err)
		}
		pulse := device.Pulse{Pin: int(c.Drawer.Pin), On: drawerTime(c.Drawer.OnMS), Off: drawerTime(c.Drawer.OffMS)}
		return device.CheckPrinter(ctx, url, open, language, pulse, unattended), nil
	case "card":
		driver := func(open device.Dialer, report func(device.Status)) device.CardCheck { return msr605.New(open, report) }
		return device.CheckCard(ctx, url, open, driver, unattended), nil
	case "scanner":
		suffix, trigger, err := scannerHabits(c)
		if err != nil {
			return device.Check{}, err
		}
		return device.CheckScanner(ctx, url, open, suffix, trigger, unattended), nil
	case "display":
		language, err := escpos.NewDisplayLanguage(c.Display.Set, behind)
		if err != nil {
			return device.Check{}, fmt.Errorf("display.set: %w", err)
		}
		return device.CheckDisplay(ctx, url, open, language), nil
	}
	return device.Check{}, fmt.Errorf("there is no device %q", name)
}
