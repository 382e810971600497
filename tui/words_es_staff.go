package tui

import "till/tui/register"

var spanishStaff = StaffWords{
	Report: map[register.Label]string{
		register.LabelX:         "INFORME X",
		register.LabelZ:         "INFORME Z",
		register.LabelOpened:    "Apertura",
		register.LabelClosed:    "Cierre",
		register.LabelSales:     "Ventas",
		register.LabelRevenue:   "ingresos sin propinas",
		register.LabelTips:      "propinas",
		register.LabelDiscounts: "descuentos",
		register.LabelCancelled: "anuladas",
		register.LabelPaidBy:    "Pagado con",
		register.LabelTaxes:     "Impuestos",
		register.LabelRefunds:   "Devoluciones",
		register.LabelCoinsSold: "Bitcoin vendido",
		register.LabelDrawer:    "Cajón",
		register.LabelFloat:     "Fondo de caja",
		register.LabelCashSales: "Efectivo de ventas",
		register.LabelPaidIn:    "Ingresado",
		register.LabelDropped:   "Retirado",
		register.LabelExpected:  "Esperado",
		register.LabelCounted:   "Contado",
		register.LabelVariance:  "Diferencia",
		register.LabelReason:    "Motivo",
		register.LabelOpenings:  "Aperturas sin venta",
		register.LabelOverrides: "Autorizado por otra persona",
		register.LabelNumbers:   "Números de venta",
		register.LabelEntries:   "Asientos del diario",
		register.LabelIgnored:   "Asientos no entendidos",
	},
}
