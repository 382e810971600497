package rpc

import "time"

// SetBodyTime changes how long the body of a request may take.
func (d *Door) SetBodyTime(t time.Duration) { d.bodyTime = t }
