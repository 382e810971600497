package tui

import "till/tui/register"

var englishStaff = StaffWords{
	Report: map[register.Label]string{
		register.LabelX:         "X REPORT",
		register.LabelZ:         "Z REPORT",
		register.LabelOpened:    "Opened",
		register.LabelClosed:    "Closed",
		register.LabelSales:     "Sales",
		register.LabelRevenue:   "revenue without tips",
		register.LabelTips:      "tips",
		register.LabelDiscounts: "discounts given",
		register.LabelCancelled: "given up",
		register.LabelPaidBy:    "Paid by",
		register.LabelTaxes:     "Tax",
		register.LabelRefunds:   "Refunds",
		register.LabelCoinsSold: "Bitcoin sold",
		register.LabelDrawer:    "Drawer",
		register.LabelFloat:     "Float",
		register.LabelCashSales: "Cash of sales",
		register.LabelPaidIn:    "Paid in",
		register.LabelDropped:   "Dropped",
		register.LabelExpected:  "Expected",
		register.LabelCounted:   "Counted",
		register.LabelVariance:  "Variance",
		register.LabelReason:    "Reason",
		register.LabelOpenings:  "Drawer opened without a sale",
		register.LabelOverrides: "Done with another’s right",
		register.LabelNumbers:   "Sale numbers",
		register.LabelEntries:   "Journal entries",
		register.LabelIgnored:   "Entries not understood",
	},
}
