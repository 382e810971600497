package protocol

// PayoutKind tells which call a payout came from.
type PayoutKind string

// The kinds.
const (
	PayoutSweep    PayoutKind = "sweep"
	PayoutDispense PayoutKind = "dispense"
)

// Method records how dispensed coins reach the customer.
type Method string

// The methods.
const (
	MethodPrinter Method = "printer" // a paper wallet the terminal prints
	MethodMagcard Method = "magcard" // a key it writes to a card
	MethodAddress Method = "address" // an address the customer showed
)

// Valid reports whether m is one of the three.
func (m Method) Valid() bool {
	return m == MethodPrinter || m == MethodMagcard || m == MethodAddress
}

// PayoutState is where money that goes out has got to.
type PayoutState string

// The states. Only PayoutRefused gives back the limit; PayoutUnknown is asked
// about again and never repeated blindly. PayoutNever answers querynonce for an
// id that was not used: it is void from then on.
const (
	PayoutReserved  PayoutState = "reserved"
	PayoutSigned    PayoutState = "signed"
	PayoutBroadcast PayoutState = "broadcast"
	PayoutConfirmed PayoutState = "confirmed"
	PayoutRefused   PayoutState = "refused"
	PayoutUnknown   PayoutState = "unknown"
	PayoutNever     PayoutState = "never"
)

var payoutTable = table[PayoutState]{
	{PayoutReserved, PayoutSigned, "signed and stored"},
	{PayoutReserved, PayoutRefused, "cannot be built"},
	{PayoutSigned, PayoutBroadcast, "the node has it"},
	{PayoutSigned, PayoutUnknown, "the node's answer is lost"},
	{PayoutSigned, PayoutRefused, "certainly never mined"},
	{PayoutUnknown, PayoutBroadcast, "found in mempool or chain"},
	{PayoutUnknown, PayoutRefused, "certainly never mined"},
	{PayoutUnknown, PayoutConfirmed, "found in a block"},
	{PayoutBroadcast, PayoutConfirmed, "in a block"},
	{PayoutBroadcast, PayoutUnknown, "gone from the mempool"},
	{PayoutConfirmed, PayoutBroadcast, "its block was reorganised away"},
}

// CanBecome reports whether the table has the step.
func (s PayoutState) CanBecome(next PayoutState) bool { return payoutTable.has(s, next) }

// PayoutDiagram prints the table in Mermaid's stateDiagram-v2.
func PayoutDiagram() string { return payoutTable.diagram(PayoutReserved) }
