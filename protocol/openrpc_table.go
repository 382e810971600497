package protocol

import "reflect"

// scalars are the types whose range the Go type does not tell.
var scalars = map[reflect.Type]object{
	reflect.TypeFor[Sat]():      {"type": "integer", "minimum": 0, "maximum": MaxSat, "description": "satoshi"},
	reflect.TypeFor[Rate]():     {"type": "integer", "minimum": 1, "maximum": int64(MaxMinor), "description": "minor units of the currency for one whole bitcoin"},
	reflect.TypeFor[Time]():     {"type": "string", "pattern": `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$`, "description": "RFC 3339, UTC, milliseconds"},
	reflect.TypeFor[Currency](): {"type": "string", "pattern": `^[A-Z]{3}$`, "description": "ISO 4217"},
	reflect.TypeFor[Hash]():     {"type": "string", "pattern": `^[0-9a-f]{64}$`, "description": "SHA-256"},
	reflect.TypeFor[Secret]():   {"type": "string", "writeOnly": true},

	reflect.TypeFor[ID]():         uuid,
	reflect.TypeFor[TerminalID](): uuid,
	reflect.TypeFor[LogID]():      uuid,
	reflect.TypeFor[SaleID]():     uuid,
	reflect.TypeFor[TenderID]():   uuid,
	reflect.TypeFor[QuoteID]():    uuid,
	reflect.TypeFor[PayoutID]():   uuid,
	reflect.TypeFor[RefundID]():   uuid,
	reflect.TypeFor[ShiftID]():    uuid,

	reflect.TypeFor[Method]():     oneOf(MethodPrinter, MethodMagcard, MethodAddress),
	reflect.TypeFor[PayoutKind](): oneOf(PayoutSweep, PayoutDispense),
	reflect.TypeFor[PayoutState](): oneOf(PayoutReserved, PayoutSigned, PayoutBroadcast, PayoutConfirmed,
		PayoutRefused, PayoutUnknown),
	reflect.TypeFor[neverState](): oneOf(PayoutNever),
	reflect.TypeFor[SaleState]():  oneOf(SaleOpen, SaleSeen, SaleAccepted, SaleConfirmed, SaleExpired, SaleCancelled),
	reflect.TypeFor[Flag]():       oneOf(FlagUnderpaid, FlagOverpaid, FlagLate, FlagReplaced, FlagConflict),
	reflect.TypeFor[Verdict]():    oneOf(VerdictWait, VerdictAccept, VerdictRefuse),
	reflect.TypeFor[TenderKind](): oneOf(TenderBitcoin, TenderEcash, TenderLightning, TenderKey, TenderCash, TenderCard),
	reflect.TypeFor[Role]():       oneOf(RoleCashier, RoleManager, RoleOwner),
}

var uuid = object{"type": "string", "pattern": `^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, "description": "UUIDv7"}

func oneOf[S ~string](values ...S) object { return object{"type": "string", "enum": values} }

type bodies[K ~string] []struct {
	body  reflect.Type
	kinds []K
}

// alertBodies are the members of alerts by kind.
var alertBodies = bodies[AlertKind]{
	{reflect.TypeFor[SaleStatus](), []AlertKind{AlertSale}},
	{reflect.TypeFor[Incoming](), []AlertKind{AlertIncoming}},
	{reflect.TypeFor[ContractReady](), []AlertKind{AlertContract}},
	{reflect.TypeFor[InvoiceReady](), []AlertKind{AlertInvoice}},
	{reflect.TypeFor[DepositStatus](), []AlertKind{AlertDeposit}},
	{reflect.TypeFor[TabStatus](), []AlertKind{AlertTab}},
	{reflect.TypeFor[PayoutStatus](), []AlertKind{AlertPayout}},
	{reflect.TypeFor[Notice](), []AlertKind{AlertConfig, AlertQuote, AlertCertificate, AlertSuspended, AlertReserveLow, AlertRateStale, AlertNodeBehind}},
}

// entryBodies are the bodies of journal entries by kind.
var entryBodies = bodies[EntryKind]{
	{reflect.TypeFor[ShiftOpened](), []EntryKind{EntryShiftOpened}},
	{reflect.TypeFor[ShiftClosed](), []EntryKind{EntryShiftClosed}},
	{reflect.TypeFor[SaleOpened](), []EntryKind{EntrySaleOpened}},
	{reflect.TypeFor[TenderAdded](), []EntryKind{EntryTenderAdded}},
	{reflect.TypeFor[TenderRemoved](), []EntryKind{EntryTenderRemoved}},
	{reflect.TypeFor[SaleEnded](), []EntryKind{EntrySalePaid, EntrySaleCancelled, EntrySaleParked}},
	{reflect.TypeFor[TabOpened](), []EntryKind{EntryTabOpened}},
	{reflect.TypeFor[TabCharged](), []EntryKind{EntryTabCharged}},
	{reflect.TypeFor[TabClosed](), []EntryKind{EntryTabClosed}},
	{reflect.TypeFor[Refund](), []EntryKind{EntryRefund}},
	{reflect.TypeFor[PayoutNoted](), []EntryKind{EntryPayout}},
	{reflect.TypeFor[ReceiptPrinted](), []EntryKind{EntryReceiptPrinted}},
	{reflect.TypeFor[DrawerOpened](), []EntryKind{EntryDrawerOpened}},
	{reflect.TypeFor[PersonDid](), []EntryKind{EntrySignedIn, EntryOverride, EntrySettings}},
	{reflect.TypeFor[TokenReceived](), []EntryKind{EntryTokenReceived}},
	{reflect.TypeFor[AddressShown](), []EntryKind{EntryAddressShown}},
	{reflect.TypeFor[Tampered](), []EntryKind{EntryTamper}},
}
