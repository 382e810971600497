package tui

import "till/tui/register"

var frenchStaff = StaffWords{
	Report: map[register.Label]string{
		register.LabelX:         "RAPPORT X",
		register.LabelZ:         "RAPPORT Z",
		register.LabelOpened:    "Ouverture",
		register.LabelClosed:    "Clôture",
		register.LabelSales:     "Ventes",
		register.LabelRevenue:   "recettes hors pourboire",
		register.LabelTips:      "pourboires",
		register.LabelDiscounts: "remises",
		register.LabelCancelled: "abandonnées",
		register.LabelPaidBy:    "Réglées en",
		register.LabelTaxes:     "TVA",
		register.LabelRefunds:   "Remboursements",
		register.LabelCoinsSold: "Bitcoins vendus",
		register.LabelDrawer:    "Tiroir",
		register.LabelFloat:     "Fond de caisse",
		register.LabelCashSales: "Espèces des ventes",
		register.LabelPaidIn:    "Apports",
		register.LabelDropped:   "Retraits",
		register.LabelExpected:  "Attendu",
		register.LabelCounted:   "Compté",
		register.LabelVariance:  "Écart",
		register.LabelReason:    "Motif",
		register.LabelOpenings:  "Ouvertures sans vente",
		register.LabelOverrides: "Autorisations d’un responsable",
		register.LabelNumbers:   "Numéros de vente",
		register.LabelEntries:   "Écritures du journal",
		register.LabelIgnored:   "Écritures non comprises",
	},
}
