# A bar tab: a coin of the customer's is held, rounds are charged and signed, other
# customers are served meanwhile, and the tab is closed and paid.
ring 4.80
do tab
see /bar tab up to/ in dialog
do confirm
qr /^taler\+http:.*[?]sale=/ within 30s
cannot tab.charge because /no coin/
customer taps
see "+ 4.80 EUR" within 30s
do tab.charge
see "signed 4.80 of 4.80 EUR" within 10s
do back
do back
screen register
say "another customer, in cash"
ring 2.00
do pay
do tender.cash
do next
see "PAID"
do acknowledge
say "a second round"
ring 12.30
do tab
do next
do tab.charge
see "signed 17.10 of 17.10 EUR" within 10s
see "32.90 EUR left"
do tab.close
see "17.10" in dialog
do confirm
see "PAID" within 30s
paper "E-cash" within 5s
paper "17.10"
do acknowledge
screen register
do sales
press down
see "17.10"
see state confirmed
do next
see "E-cash"
journal verify
