package tui

import (
	"errors"
	"slices"
	"strings"

	"till/device"
	"till/protocol"
	"till/protocol/terminal"
	"till/tui/register"
)

// Words is every word of a language. A test fails where one is missing. Values
// stand for %1, %2, … in sentences.
type Words struct {
	Language string // ISO 639-1
	Itself   string // the language's own name
	Decimal  string // of numbers
	Group    string // between thousands
	Date     string // layouts of package time
	Clock    string
	// ShortDate is for lists, where the day is another.
	ShortDate string
	// OnPaper is what paper and the customer's display say where no printer has
	// the script; nil: the same.
	OnPaper *Words

	Staff StaffWords

	Keys    map[Action]KeyWords
	Screens map[screenName]string
	Why     map[register.Why]string
	Paper   map[register.Label]string
	States  map[protocol.SaleState]string
	// KeyKinds are what keys come as, Methods how coins leave; "" is cash.
	KeyKinds map[register.KeyKind]string
	Methods  map[protocol.Method]string
	// PayoutStates are how far money that goes out is.
	PayoutStates map[protocol.PayoutState]string
	// StateBig is the state as one large word.
	StateBig map[protocol.SaleState]string
	Flags    map[protocol.Flag]string
	Tenders  map[protocol.TenderKind]string
	// Reasons are the server's verdicts by their word; empty in English, which
	// the server speaks itself.
	Reasons      map[string]string
	Devices      map[string]string
	DeviceStates map[device.State]string
	DrawerStates map[device.DrawerState]string
	// Faults are devices' faults, empty in English; FaultShort in two words.
	Faults     map[device.Fault]string
	FaultShort map[device.Fault]string

	More, Practice, Shift, NotBuilt, TooSmall string
	Now, Minutes, Hours, Days                 string

	// Settings: their names with what they are about, and their values by the
	// names of the configuration.
	SettingTheme, SettingLanguage, SettingMouse, SettingSound, SettingReceipt KeyWords
	SettingLeading                                                            string
	Values                                                                    map[string]string

	// When screens are said, not shown.
	AloudUnknown, AloudHelp string

	// The health line.
	Server, Connecting, OfflineSince, Rate, NoRate, Addresses, SentAll, Unsent string
	InDoubt, AlertsWait, ClockWrong, Suspended, Revoked, NoPrinterShort        string

	// The register.
	Total, TotalCapital, Subtotal, Typed, Discount, Tip, Tax, Included, CartEmpty      string
	OpenItem, OpenItemNamed, FoundCount, NothingFound                                  string
	NoteTitle, ReasonTitle, StockLeft, RecallTitle, NothingParked, Parked, RecentSales string
	HelpDigits, HelpLetters, HelpArrows, HelpErase                                     string

	// Paying.
	HowToPay, Due, Preparing, AddressKept, Given, Change, CashHint         string
	Received, StillDue, WaitingForPayment, OfflineSale, NoPriceOffline     string
	PriceHolds, PriceLapsed, PrintIt, CustomerPays, NothingAsked           string
	PreparingBill, BillHolds, BillLapsed, ScanEcash, EcashOffline, AtMint  string
	TabNew, TabLimitTitle, TabLimitText, TabLimitBad, TabUntil, TabLeft    string
	TabScan, TabPreparing, TabHeld, TabNoRounds, TabSigned, TabUnsigned    string
	TabAsk, TabClosing, TabAtMint, TabPaid, TabPart                        string
	TabCloseTitle, TabCloseText, TabCloseUnsigned, TabCloseEmpty           string
	TabLapsing, TabLapsingText, TabLost, TabLostText, TabOpen              string
	Paid, NotPaid, HandOver, PayAnotherWay, KeepTheGoods                   string
	CancelTitle, CancelText, CancelOwedText                                string
	FreshAddress, AnyAmount, AddressHint, NoAddressYet, MoneyArrived       string
	Printing, NoPrinter, PrintAgainTitle, PrintAgainText                   string
	ScanRefused, ScanNotHere, QuitTitle, QuitText, QuitSaleText, QuitAgain string

	// Keys and payouts.
	KeyTitle, KeyNoSale, KeyHint, KeyAsking, KeyConfirmed, KeyPending, KeyContested, KeyFee, KeyShopTakes                                                   string
	KeySaleTakes, KeyShort, KeyLeft, KeyChangeTo, KeyScanChange, KeyHexTitle, KeyHexText, KeyLockedTitle                                                    string
	KeyLockedText, KeyOpening, KeyTakeTitle, KeyTakeAll, KeyTakeSale, KeyChangeGoes, KeyChangeOwed, KeyTakingBig                                            string
	KeyTaking, KeyUnknown, KeyTaken, KeyNotTaken, KeyGiveBack, KeyReceived, LookFirst, SellTitle, SellAmount                                                string
	SellRate, SellHow, SellScan, SellTo, SellApprove, SellApproved, SellLimit, SellLeft, SellPayTitle                                                       string
	SellPayText, SellPayCash, SellTakeMoney, SellMakingBig, SellMaking, SellSwipeBig, SellSwipe, SellCheckBig, SellCheck, SellPrintedTitle, SellPrintedText string
	SellPayingBig, SellPaying, SellUnknown, SellPaid, SellNotPaid, SellKeepMoney, SellPaperVoid, SellGiveCash                                               string
	KeyWaits, KeyRaiseTitle, KeyRaiseText, CardTitle, CardAgain, CardOther                                                                                  string
	SellHandPaper, ApproveTitle, ApproveWho, ApproveCode, ApproveWait, RefundTitle, RefundMost, RefundOwed, RefundOldRate                                   string
	RefundNowRate, RefundHow                                                                                                                                string

	// Lists.
	ColumnTime, ColumnSale, ColumnWhat, ColumnState, ColumnDevice, ColumnModel string
	NoSales, NoAlerts, Removed, Confirmations, Receipts                        string
	Rechecking, Rechecked, RecheckFailed                                       string
	NotConfigured, Unconfirmed, PapersWait, TestOnlyPrinter, Reopening         string
	PaperTitle, PaperEmpty                                                     string
	TamperTitle, TamperText, KeyErased, ScanSeen                               string
	AlertReplaced, AlertConflict, AlertLate, AlertSale, AlertIncoming          string
	AlertIncomingText, AlertPayout, AlertOther, AlertOfSale                    string
	AboutShop, AboutTerminal, AboutServer, AboutCertificate, AboutText         string

	// A kiosk. Own is the language's name in itself.
	Own, KioskStart, KioskTouch, KioskChoose, KioskGoods                                      string
	KioskOver, KioskOverTitle, KioskOverText, KioskEmpty, KioskPage                           string
	KioskStill, KioskBackIn, KioskPay                                                         string
	KioskThanks, KioskThanksPaperless, KioskFailed                                            string
	KioskTryAgain, KioskPaidPart                                                              string
	KioskOut, KioskMoment, KioskOutSoon, KioskOpening, KioskOffline                           string
	KioskSmall, KioskCalm, KioskOtherTitle, KioskOtherText, KioskGiveUpTitle, KioskGiveUpText string
	KioskStaff, KioskServiceTitle, KioskPIN, KioskWrong, KioskLocked                          string
	KioskRestartTitle, KioskRestartText, KioskLeaveText                                       string
}

// StaffWords are the words of people and shifts.
type StaffWords struct {
	// Signing in, and another's right.
	SignInTitle, SignInPIN, SignInWrong, SignInWait, SignInLocked, SignInChecking, SetClock, NoPeople, OverrideTitle string
	// The shift and its drawer.
	ShiftClosedBig, ShiftNone, ShiftSince, OpenSales, OpenTitle, OpenText, PayInTitle, DropTitle, NoSaleTitle, Reason, ReasonFirst, CashMoved, DrawerOpened string
	CloseTitle, CloseAnyway, CountTitle, CountText, CloseSums, CloseReason, Moved, GiveBack, QuickCash, CardHint                                            string

	Report map[register.Label]string // of X and Z reports
}

// KeyWords names an action: short for the bottom line, and as help.
type KeyWords struct{ Label, Help string }

// onPaper is the words for paper and for the customer's display.
func (w *Words) onPaper() *Words {
	if w.OnPaper != nil {
		return w.OnPaper
	}
	return w
}

// label is an action's short name.
func (w *Words) label(a Action) string { return w.Keys[a].Label }

// why says why something was not done.
func (w *Words) why(s register.Said) string {
	text := w.Why[s.Why]
	if s.Detail == "" {
		return text
	}
	return text + " (" + s.Detail + ")"
}

// sentence is the server's verdict: in the words of the language where it knows
// them, else as the server said it.
func (w *Words) sentence(reason, message string) string {
	if text := w.Reasons[reason]; text != "" {
		return text
	}
	return message
}

// stateWords says a state with its flags: seen, underpaid.
func (w *Words) stateWords(state protocol.SaleState, flags []protocol.Flag) string {
	words := []string{w.States[state]}
	for _, f := range flags {
		words = append(words, w.Flags[f])
	}
	return strings.Join(words, ", ")
}

// fault says what is wrong with a device and what to do.
func (w *Words) fault(f device.Fault) string {
	if text := w.Faults[f]; text != "" {
		return text
	}
	return f.Sentence()
}

// refusal says an error of the terminal or a device.
func (w *Words) refusal(err error) string {
	switch {
	case errors.Is(err, terminal.ErrDiskFull):
		return w.Why[register.WhyDiskFull]
	case errors.Is(err, terminal.ErrNoAddress):
		return w.Why[register.WhyNoAddress]
	}
	return err.Error()
}

// alertWords are an alert's title and text.
func (m *model) alertWords(a terminal.Alert) (title, text string) {
	w := m.w
	switch a.Kind {
	case protocol.AlertSale:
		var s protocol.SaleStatus
		if a.Decode(&s) != nil {
			break
		}
		return w.saleAlert(s.Flags), w.f(w.AlertOfSale, m.numberOf(s.Sale), m.w.moment(m.local(a.At))) + "\n" +
			w.stateWords(s.State, s.Flags) + "\n" + w.sentence(s.Reason, s.Message)
	case protocol.AlertIncoming:
		var in protocol.Incoming
		if a.Decode(&in) != nil {
			break
		}
		return w.AlertIncoming, w.f(w.AlertIncomingText, w.bitcoin(in.AmountSat), in.Address, m.numberOf(in.Sale))
	case protocol.AlertPayout:
		var p protocol.PayoutStatus
		if a.Decode(&p) != nil {
			break
		}
		return w.f(w.AlertPayout, string(p.State)), w.sentence(p.Reason, p.Message)
	case protocol.AlertTab:
		var t protocol.TabStatus
		if a.Decode(&t) != nil {
			break
		}
		return m.tabAlert(t)
	case protocol.AlertDeposit:
		var d protocol.DepositStatus
		if a.Decode(&d) != nil {
			break
		}
		return w.AlertSale, w.f(w.AlertOfSale, m.numberOf(d.Sale), m.w.moment(m.local(a.At))) + "\n" + w.sentence(d.Reason, d.Message)
	}
	var n protocol.Notice
	if a.Decode(&n) == nil && n.Message != "" {
		return w.f(w.AlertOther, string(a.Kind)), w.sentence(n.Reason, n.Message)
	}
	return w.f(w.AlertOther, string(a.Kind)), ""
}

func (w *Words) saleAlert(flags []protocol.Flag) string {
	for _, f := range flags {
		switch f {
		case protocol.FlagReplaced:
			return w.AlertReplaced
		case protocol.FlagConflict:
			return w.AlertConflict
		case protocol.FlagLate:
			return w.AlertLate
		}
	}
	return w.AlertSale
}

// numberOf is the number of a sale, or its id where it is too old to be at hand.
func (m *model) numberOf(id protocol.SaleID) string {
	for _, s := range slices.Concat(m.facts.tabs, m.facts.recent) {
		if s.ID() == id && s.Opening.Number != "" {
			return s.Opening.Number
		}
	}
	return string(id)
}
