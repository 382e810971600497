package boot

import (
	"context"
	"fmt"

	"till/cmd/internal/config"
	"till/device"
	"till/device/escpos"
	"till/device/sim"
)

// printerBaud is the speed of a serial printer whose URL names none.
const printerBaud = 38400

// Counter is the hardware of one counter.
type Counter struct {
	// Printer is nil when none is configured.
	Printer *device.Printer
	// Sim is the simulated printer that "sim:" stands for, nil without one.
	Sim *sim.Printer
}

// PrinterHooks hear what a printer tells; see [device.PrinterConfig].
type PrinterHooks struct {
	Report   func(device.Status)
	Progress func(device.JobReport)
}

// OpenCounter makes the devices that are configured; run them with
// [Counter.Run]. simulate allows the address "sim:".
func OpenCounter(c *config.Config, hooks PrinterHooks, simulate bool) (*Counter, error) {
	address, err := device.ParseURL(c.Printer.URL, printerBaud)
	if err != nil {
		return nil, fmt.Errorf("printer.url: %w", err)
	}
	counter := &Counter{}
	if address.None {
		return counter, nil
	}
	var dial device.Dialer
	if address.Sim && simulate {
		if counter.Sim, err = sim.NewPrinter(c.Printer.Profile, nil); err != nil {
			return nil, fmt.Errorf("printer.profile: %w", err)
		}
		dial = counter.Sim.Dial
	}
	language, err := escpos.NewLanguage(c.Printer.Profile)
	if err != nil {
		return nil, fmt.Errorf("printer.profile: %w", err)
	}
	counter.Printer, err = device.NewPrinter(device.PrinterConfig{
		Open: address.Dialer(dial), Language: language, Report: hooks.Report, Progress: hooks.Progress,
	})
	return counter, err
}

// Run works the devices until ctx ends.
func (c *Counter) Run(ctx context.Context) {
	if c.Printer != nil {
		c.Printer.Run(ctx)
	}
	if c.Sim != nil {
		c.Sim.Close()
	}
}
