package tui

import "till/tui/register"

var germanStaff = StaffWords{
	Report: map[register.Label]string{
		register.LabelX:         "X-BERICHT",
		register.LabelZ:         "Z-BERICHT",
		register.LabelOpened:    "Geöffnet",
		register.LabelClosed:    "Geschlossen",
		register.LabelSales:     "Verkäufe",
		register.LabelRevenue:   "Umsatz ohne Trinkgeld",
		register.LabelTips:      "Trinkgeld",
		register.LabelDiscounts: "Rabatte",
		register.LabelCancelled: "aufgegeben",
		register.LabelPaidBy:    "Bezahlt mit",
		register.LabelTaxes:     "Steuer",
		register.LabelRefunds:   "Rückerstattungen",
		register.LabelCoinsSold: "Bitcoin verkauft",
		register.LabelDrawer:    "Lade",
		register.LabelFloat:     "Wechselgeld",
		register.LabelCashSales: "Bar aus Verkäufen",
		register.LabelPaidIn:    "Eingelegt",
		register.LabelDropped:   "Entnommen",
		register.LabelExpected:  "Soll",
		register.LabelCounted:   "Gezählt",
		register.LabelVariance:  "Differenz",
		register.LabelReason:    "Grund",
		register.LabelOpenings:  "Lade ohne Verkauf geöffnet",
		register.LabelOverrides: "Mit fremdem Recht getan",
		register.LabelNumbers:   "Verkaufsnummern",
		register.LabelEntries:   "Journaleinträge",
		register.LabelIgnored:   "Unverstandene Einträge",
	},
}
