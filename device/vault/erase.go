package vault

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The marks, files in the vault's folder.
const (
	eraseMark    = "vault.erase"  // an erase has begun; holds the sensor that asked for it
	tamperRecord = "vault.tamper" // an opened case has erased the key; holds the sensor
	maxSensor    = 64
)

// erase destroys between two durable steps: the mark comes first, so that a power
// cut from there on is finished at the next start. A mark that cannot be written
// stops nothing.
func erase(dir, sensor string, destroy func() error) error {
	mark, record := filepath.Join(dir, eraseMark), filepath.Join(dir, tamperRecord)
	if earlier, _, err := sensorIn(mark); err == nil && earlier != "" {
		sensor = earlier
	}
	err := errors.Join(replace(mark, []byte(sensor)), destroy())
	if err == nil && sensor != "" {
		err = replace(record, []byte(sensor))
	}
	if err == nil {
		err = errors.Join(os.Remove(mark), syncDir(dir))
	}
	if err != nil {
		return fmt.Errorf("erase vault: %w", err)
	}
	return nil
}

// begun tells whether an erase has begun and not ended.
func begun(dir string) (bool, error) {
	_, found, err := sensorIn(filepath.Join(dir, eraseMark))
	return found, err
}

// Tampered tells which sensor had the key in dir erased, until [Acknowledge].
func Tampered(dir string) (sensor string, found bool, err error) {
	return sensorIn(filepath.Join(dir, tamperRecord))
}

// Acknowledge forgets what [Tampered] tells, once it stands in the journal.
func Acknowledge(dir string) error {
	err := os.Remove(filepath.Join(dir, tamperRecord))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("acknowledge tampering: %w", err)
	}
	return syncDir(dir)
}

// sensorIn reads the sensor's name in a mark. What no sensor has written is
// still a mark.
func sensorIn(path string) (sensor string, found bool, err error) {
	text, err := readLimited(path)
	if errors.Is(err, os.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("read mark of erase: %w", err)
	}
	return nameOfSensor(string(text)), true, nil
}

// nameOfSensor bounds a sensor's name.
func nameOfSensor(s string) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '-'
		}
		return r
	}, s)
	return s[:min(len(s), maxSensor)]
}
