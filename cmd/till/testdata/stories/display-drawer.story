# The customer's display follows the sale, the drawer opens for cash alone.
display 1 "Café Central"
display 2 "PRACTICE"
drawer closed
add "Espresso" x2
display 1 "2 Espresso      5.00"
display 2 "TOTAL       5.00 EUR"
do pay
do tender.bitcoin
display 1 "5.00 EUR"
display 2 "Scan to pay"
say "a display that was unplugged shows what is true when it is back"
pull display
customer pays
see state accepted
plug display
display 1 "PAID        5.00 EUR"
drawer closed
do acknowledge
display 1 "Café Central"
ring 12.30
do pay
do tender.cash
display 1 "TOTAL      12.30 EUR"
type "2000"
do next
see "PAID"
display 1 "PAID       12.30 EUR"
display 2 "change      7.70 EUR"
drawer opened
paper /Cash +EUR 20.00/
paper /Change +-7.70/
do acknowledge
journal verify
