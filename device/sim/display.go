package sim

type Display struct{}

func (d *Display) receive([]byte) {}
