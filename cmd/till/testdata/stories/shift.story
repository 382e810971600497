# A day at the counter, closed with a blind count.
size 80x30
patience 10s
ring 12.30
do pay
do tender.cash
press down
see "13.00"
press up
type "2000"
see "7.70"
do next
see "PAID"
see "1 × 5.00"
drawer opened
do acknowledge
say "a bank card on the bank's own terminal, for a part; bitcoin for the rest"
ring 30
do pay
do tender.card
type "1000"
do next
see "20.00"
do tender.bitcoin
customer pays
see "PAID"
do acknowledge
say "the drawer without a sale needs a reason; so does cash that goes in"
do shift
screen shift
do shift.no-sale
cannot confirm because /reason/i
type "change for the bus\n"
see /change for the bus/
do shift.pay-in
type "5000\nrolls of coins\n"
see /rolls of coins/
say "what should lie there is not for the eyes that count it"
cannot shift.x because /manager/i
cannot shift.close because /manager/i
press z
type "2\n2222\n"
see /count/i in dialog within 10s
not "62.30"
type "6200\n"
see "62.30" in dialog
see "-0.30" in dialog
cannot confirm because /reason/i
type "a coin too many\n"
see "Z REPORT 1" within 10s
paper "Z REPORT 1"
paper /Expected +62.30/
paper /Counted +62.00/
paper /Variance +-0.30/
paper /1 x Bank card +10.00/
paper /1 x Bitcoin +20.00/
paper /1 x Cash +12.30/
paper "a coin too many"
say "without a shift the drawer stays shut, bitcoin is taken"
do back
ring 1
do pay
cannot tender.cash because /shift/i
can tender.bitcoin
do back
do clear
sign in Marek 2222
do shift
do shift.open
type "6200"
see "62.00" in dialog
do confirm
see "2" in title
do shift.x
see "X REPORT"
see /Expected +62.00/
journal verify
